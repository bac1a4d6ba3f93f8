//! Line charts as SVG text, drawn here so that the page needs nothing from elsewhere.
#![expect(clippy::float_arithmetic, reason = "coordinates of a drawing")]

use crate::bench::real;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// Lines across.
const STEPS: u32 = 4;

/// A line of a chart.
pub struct Line {
    /// What it shows.
    pub name: &'static str,
    /// Class of its colour in the page's style sheet.
    pub class: &'static str,
    /// Points as (x, y), in rising x.
    pub points: Vec<(f64, f64)>,
}

/// How the height is divided.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from 0.
    Linear,
    /// By powers of ten.
    Decades,
}

/// A chart with a legend; `title` is read out to those who do not see it.
pub fn chart(title: &str, lines: &[Line], scale: Scale, unit: &str) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let right = all().map(|(x, _)| x).fold(1.0, f64::max);
    let axis = Axis::of(scale, all().map(|(_, y)| y));
    let mut svg = format!(
        "<figure><figcaption>{title}{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">",
        legend(lines)
    );
    for mark in axis.marks() {
        let y = axis.place(mark);
        push(
            &mut svg,
            format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"y\" x=\"{:.1}\" y=\"{:.1}\">{} {unit}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                short(mark)
            ),
        );
    }
    let across = |x: f64| LEFT + x / right * (WIDTH - LEFT - RIGHT);
    for step in 0..=STEPS {
        let x = right * f64::from(step) / f64::from(STEPS);
        push(
            &mut svg,
            format_args!(
                "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{} s</text>",
                across(x),
                HEIGHT - 8.0,
                short(x)
            ),
        );
    }
    for line in lines {
        let points = line.points.iter().fold(String::new(), |mut text, (x, y)| {
            push(&mut text, format_args!("{:.1},{:.1} ", across(*x), axis.place(*y)));
            text
        });
        push(&mut svg, format_args!("<polyline class=\"{}\" points=\"{}\"/>", line.class, points.trim_end()));
    }
    svg.push_str("</svg></figure>\n");
    svg
}

fn legend(lines: &[Line]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        push(&mut text, format_args!(" <span class=\"{}\">{}</span>", line.class, line.name));
        text
    })
}

fn push(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.push_str(&more.to_string());
}

/// A number that takes little room.
fn short(value: f64) -> String {
    match value {
        value if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The height.
struct Axis {
    scale: Scale,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let positive: Vec<f64> = values.filter(|value| *value > 0.0).collect();
        let largest = positive.iter().copied().fold(0.0, f64::max);
        let least = positive.iter().copied().fold(f64::INFINITY, f64::min);
        match scale {
            _ if largest <= 0.0 => Self { scale: Scale::Linear, from: 0.0, to: 1.0 },
            Scale::Linear => Self { scale, from: 0.0, to: round_up(largest) },
            Scale::Decades => {
                let (from, to) = (least.log10().floor(), largest.log10().ceil());
                Self { scale, from, to: to.max(from + 1.0) }
            }
        }
    }

    fn marks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => (0..=STEPS)
                .map(|step| self.from + (self.to - self.from) * f64::from(step) / f64::from(STEPS))
                .collect(),
            Scale::Decades => {
                let decades = crate::bench::whole(self.to - self.from);
                (0..=decades).map(|decade| 10f64.powf(self.from + real(decade))).collect()
            }
        }
    }

    /// From the top.
    fn place(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Decades if value <= 0.0 => self.from,
            Scale::Decades => value.log10(),
        };
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The next of 1, 2, 4, 5 or 8 times a power of ten: whole quarters.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_within_the_frame() {
        let line = Line { name: "a", class: "a", points: vec![(0.0, 0.5), (30.0, 900.0), (60.0, 0.0)] };
        for scale in [Scale::Linear, Scale::Decades] {
            let svg = chart("Title", std::slice::from_ref(&line), scale, "ms");
            let points =
                svg.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("points");
            for pair in points.split(' ') {
                let (x, y) = pair.split_once(',').expect("a pair");
                let (x, y): (f64, f64) = (x.parse().expect("x"), y.parse().expect("y"));
                assert!((LEFT..=WIDTH).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y), "{pair}");
            }
            assert!(svg.contains("1000 ms"), "{svg}");
        }
    }

    #[test]
    fn a_chart_of_nothing_is_still_a_chart() {
        assert!(chart("Nothing", &[], Scale::Decades, "ms").contains("</svg>"));
    }
}

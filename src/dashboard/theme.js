// Runs before the page is drawn, so that it does not flash in the wrong colours.
(() => {
  const names = ["automatic", "light", "dark"];
  const kept = localStorage.getItem("floodgate.theme");
  const root = document.documentElement;
  const set = (name) => {
    root.dataset.theme = name;
    localStorage.setItem("floodgate.theme", name);
  };
  root.dataset.theme = names.includes(kept) ? kept : "automatic";
  window.floodgateTheme = {
    current: () => root.dataset.theme,
    next: () => set(names[(names.indexOf(root.dataset.theme) + 1) % names.length]),
  };
})();

// The live feed: server-sent events over fetch, because only fetch can send a header. Comes back by itself.

import { ask } from "./api.js";

/** Without a word for so long, the line is taken for dead: a second comes each second. */
const SILENCE_MS = 5_000;
const PAUSES_MS = [500, 1_000, 2_000, 4_000];

/** Splits a stream of text into events. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield parse(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

function parse(block) {
  const field = (name) => block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return { name: field("event"), data: JSON.parse(field("data")) };
}

/**
 * Follows the feed for ever. `hears` is told of each event, `state` of the line: `live`, `lost` (with when it tries
 * again), `refused` (401 or 403) or `full`.
 */
export class Feed {
  #hears;
  #state;
  #run = null;

  constructor(hears, state) {
    this.#hears = hears;
    this.#state = state;
  }

  /** Begins anew, with the token of now. */
  restart() {
    this.#run?.abort();
    this.#run = new AbortController();
    this.#follow(this.#run.signal);
  }

  async #follow(stopped) {
    for (let failures = 0; !stopped.aborted; failures += 1) {
      const heard = await this.#listen(stopped);
      if (stopped.aborted || heard === "refused") return;
      if (heard === "something") failures = 0;
      await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]));
    }
  }

  async #listen(stopped) {
    const line = new AbortController();
    const hangUp = () => line.abort();
    stopped.addEventListener("abort", hangUp);
    let silence = setTimeout(hangUp, SILENCE_MS);
    let heard = "nothing";
    try {
      const response = await ask("dashboard/events", { signal: line.signal });
      if (response.status === 401 || response.status === 403) {
        this.#state("refused", response.status);
        return "refused";
      }
      if (!response.ok) {
        this.#state(response.status === 503 ? "full" : "lost");
        return heard;
      }
      for await (const event of events(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(hangUp, SILENCE_MS);
        if (stopped.aborted) return heard;
        if (heard === "nothing") this.#state("live");
        heard = "something";
        this.#hears(event);
      }
    } catch {
      // Whatever broke the line, it is tried again below.
    } finally {
      clearTimeout(silence);
      stopped.removeEventListener("abort", hangUp);
    }
    if (!stopped.aborted) this.#state("lost");
    return heard;
  }
}

// The engine's routes, asked with the token where there is one. The token lives in this tab's session storage and goes
// out in the Authorization header only, never in an address.

const KEPT = "floodgate.token";

/** The engine's own root, also behind a proxy that puts it below a folder. */
const root = new URL(".", location.href);

export const token = () => sessionStorage.getItem(KEPT);
export const keepToken = (text) => sessionStorage.setItem(KEPT, text);
export const forgetToken = () => sessionStorage.removeItem(KEPT);

export function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.authorization = `Bearer ${token()}`;
  return fetch(new URL(path, root), { cache: "no-store", credentials: "omit", redirect: "error", ...options, headers });
}

/** A call's status and its JSON; status 0 where the engine cannot be reached. */
export async function call(method, path, body) {
  const options = { method, headers: { accept: "application/json" } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  try {
    const response = await ask(path, options);
    return { status: response.status, json: await response.json().catch(() => null) };
  } catch {
    return { status: 0, json: null };
  }
}

/** What went wrong, in the engine's words where it said something. */
export function wrong({ status, json }) {
  if (status === 0) return "the engine does not answer";
  return json?.detail ?? json?.title ?? `it answered ${status}`;
}

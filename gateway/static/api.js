// Talks to the gateway: one session, messages out, events in. Knows nothing of the page.

const TOKEN = "plainspoken.token";
const SILENCE = 40_000; // the server says something every 15 seconds

/** Session storage where the browser allows it: inside a frame it may not. */
export const memory = {
  kept: {},
  get(key) { try { return sessionStorage.getItem(key); } catch { return this.kept[key] ?? null; } },
  set(key, value) {
    try { value === null ? sessionStorage.removeItem(key) : sessionStorage.setItem(key, value); } catch { this.kept[key] = value; }
  },
};

export const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** A refusal the patient can be told about. Without a status the network failed. */
export class Refusal extends Error {
  constructor(status, body = {}) { super(body.message ?? ""); this.status = status; this.code = body.error; }
}

/**
 * `heard` is called with `event(event)`, `ready()`, `state("online" | "offline" | "reconnecting")` and `gone()`.
 */
export function connect(language, heard) {
  let token = memory.get(TOKEN);
  let last = 0;
  let run = 0; // a new number makes an older listening loop stop
  let abort = new AbortController();
  let hurry = () => {};

  function keep(fresh) {
    token = fresh;
    memory.set(TOKEN, fresh);
  }

  async function call(path, body, method = "POST") {
    const headers = { Authorization: `Bearer ${token}` };
    if (body) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(`api/${path}`, { method, headers, body: body && JSON.stringify(body) });
    } catch {
      throw new Refusal(0);
    }
    if (response.headers.get("X-Session-Token")) keep(response.headers.get("X-Session-Token"));
    if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => ({})));
    return response;
  }

  async function begin() {
    const made = await (await call("session", { language })).json();
    keep(made.token);
  }

  async function listen() {
    const mine = ++run;
    let wait = 500;
    let told = false;
    last = 0;
    while (mine === run) {
      try {
        if (!token) await begin();
        await stream(() => { if (told) heard.state("online"); told = false; wait = 500; });
      } catch (error) {
        if (mine !== run) return;
        if (error instanceof Refusal && error.status === 401) { keep(null); return heard.gone(); }
      }
      if (mine !== run) return;
      heard.state(navigator.onLine ? "reconnecting" : "offline");
      told = true;
      await new Promise((resolve) => { hurry = resolve; setTimeout(resolve, wait * (0.75 + Math.random() / 2)); });
      wait = Math.min(wait * 2, 15_000);
    }
  }

  async function stream(opened) {
    abort = new AbortController();
    const mine = abort;
    let silence = setTimeout(() => mine.abort(), SILENCE);
    try {
      const response = await fetch("api/events", {
        headers: { Authorization: `Bearer ${token}`, "Last-Event-ID": String(last) }, signal: mine.signal, cache: "no-store",
      });
      if (!response.ok) throw new Refusal(response.status);
      opened();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => mine.abort(), SILENCE);
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        blocks.forEach(take);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  function take(block) {
    const field = (name) => block.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
    const data = field("data");
    if (!data) return;
    const body = JSON.parse(data);
    const kind = field("event");
    if (kind === "ready") heard.ready();
    else if (kind === "token") keep(body.token);
    else if (kind === "gone") throw new Refusal(401);
    else if (body.id > last) { last = body.id; heard.event(body); }
  }

  function again() { abort.abort(); hurry(); }

  addEventListener("online", again);
  addEventListener("offline", () => heard.state("offline"));
  addEventListener("pageshow", (event) => { if (event.persisted) again(); });

  return {
    listen,
    say: (message) => call("say", message),
    rate: (event, helped) => call("feedback", { event, helped }),
    images: (id, files) => call("images", { id, files }),
    plan: async () => (await call("plan.pdf", null, "GET")).blob(),
    async restart() { const made = await (await call("restart", {})).json(); run++; abort.abort(); keep(made.token); },
    async end() { const told = await (await call("end", {})).json(); run++; abort.abort(); keep(null); return told; },
    forget() { run++; abort.abort(); keep(null); },
    upload(id, file, progress) {
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest(); // fetch cannot tell how much of a body is sent
        request.open("POST", "api/files");
        request.setRequestHeader("Authorization", `Bearer ${token}`);
        request.setRequestHeader("Content-Type", "application/octet-stream");
        request.setRequestHeader("X-Message-Id", id);
        request.setRequestHeader("X-File-Name", encodeURIComponent(file.name).slice(0, 400));
        request.upload.onprogress = (event) => progress(event.loaded / event.total);
        request.onerror = () => reject(new Refusal(0));
        request.onload = () => {
          if (request.status < 300) return resolve();
          let told = {};
          try { told = JSON.parse(request.responseText); } catch { /* a proxy in between said it in its own way */ }
          reject(new Refusal(request.status, told));
        };
        request.send(file);
      });
    },
  };
}

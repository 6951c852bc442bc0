// Puts the chat on any page with one line:
//   <script src="https://chat.clinic.example/embed.js" defer></script>
// Options: data-position="left|right", data-colour="#0d5257", data-greeting="...", data-language="en", data-dir="rtl|ltr",
// data-label="...". The chat runs in a frame on our own origin: this page cannot read it, and it cannot read this page.
(() => {
  const script = document.currentScript;
  const home = new URL(".", script.src);
  const { position = "right", colour = "#0d5257", greeting = "", language = "en", dir = "", label = "Ask about a second opinion" } = script.dataset;
  const accent = /^#[0-9a-f]{6}$/i.test(colour) ? colour : "#0d5257";
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(accent.slice(at, at + 2), 16) / 255) ** 2.2);
  const onAccent = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
  const side = position === "left" ? "left" : "right";

  const style = `
    :host { all: initial; }
    button { font: 600 16px/1.3 system-ui, sans-serif; cursor: pointer; }
    .open { position: fixed; z-index: 2147483000; bottom: 20px; ${side}: 20px; display: flex; align-items: center; gap: 10px;
      min-height: 56px; max-width: calc(100vw - 40px); padding: 10px 22px; border: 2px solid ${onAccent}; border-radius: 28px;
      background: ${accent}; color: ${onAccent}; box-shadow: 0 6px 24px #0004; text-align: start; }
    .open:focus-visible, .hush:focus-visible { outline: 3px solid #fff; outline-offset: 0; box-shadow: 0 0 0 6px #0b5a60; }
    svg { width: 24px; height: 24px; flex: none; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .teaser { position: fixed; z-index: 2147483000; bottom: 92px; ${side}: 20px; display: flex; gap: 6px; align-items: start; max-width: min(300px, calc(100vw - 40px));
      padding: 12px 8px 12px 16px; border-radius: 16px; background: #fff; color: #1c2a2e; font: 16px/1.45 system-ui, sans-serif; box-shadow: 0 6px 30px #0003; }
    .hush { min-width: 28px; min-height: 28px; padding: 0 6px; border: 0; border-radius: 8px; background: none; color: #4f5e63; font-size: 14px; }
    .frame { position: fixed; z-index: 2147483001; bottom: 20px; ${side}: 20px; width: min(430px, calc(100vw - 40px)); height: min(720px, calc(100dvh - 40px));
      border-radius: 20px; overflow: hidden; background: #fff; box-shadow: 0 12px 60px #0005; }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    [hidden] { display: none !important; }
    @media (max-width: 480px), (max-height: 480px) { .frame { inset: 0; width: 100%; height: 100%; border-radius: 0; } }
    @media (forced-colors: active) { .frame, .teaser { border: 1px solid; } }
    @media print { .open, .teaser { display: none; } }`;

  const make = (tag, name, text) => Object.assign(document.createElement(tag), { className: name, textContent: text });
  const host = make("div");
  host.lang = language;
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet(); // works where the page's own policy forbids inline styles
  sheet.replaceSync(style);
  shadow.adoptedStyleSheets = [sheet];

  const region = make("div");
  region.setAttribute("role", "complementary");
  region.setAttribute("aria-label", label);
  const open = make("button", "open", label);
  open.type = "button";
  open.setAttribute("aria-expanded", "false");
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M4 5h16v11H10l-4.500 4v-4H4zM8 9h8M8 12h5");
  icon.append(path);
  open.prepend(icon);
  const frame = make("div", "frame");
  frame.hidden = true;
  region.append(open, frame);

  if (greeting) {
    const teaser = make("div", "teaser");
    const hush = make("button", "hush", "✕");
    hush.type = "button";
    hush.setAttribute("aria-label", "✕ Close");
    hush.addEventListener("click", () => { teaser.remove(); open.focus(); });
    teaser.append(make("span", "", greeting), hush);
    region.prepend(teaser);
    open.addEventListener("click", () => teaser.remove());
  }

  let chat;
  function show() {
    if (!chat) {
      const address = new URL(home);
      for (const [name, value] of Object.entries({ language, dir, accent })) if (value) address.searchParams.set(name, value);
      chat = make("iframe");
      chat.title = label;
      chat.src = address.href;
      chat.addEventListener("load", greet);
      frame.append(chat);
    }
    frame.hidden = false;
    open.hidden = true;
    open.setAttribute("aria-expanded", "true");
    chat.focus();
    greet();
  }
  const greet = () => chat.contentWindow.postMessage("plainspoken:open", home.origin);

  function hide() {
    frame.hidden = true;
    open.hidden = false;
    open.setAttribute("aria-expanded", "false");
    open.focus();
  }

  open.addEventListener("click", show);
  addEventListener("message", (event) => {
    if (chat && event.source === chat.contentWindow && event.origin === home.origin && event.data === "plainspoken:close") hide();
  });
  shadow.append(region);
  const place = () => document.body.append(host);
  if (document.body) place();
  else addEventListener("DOMContentLoaded", place);
  window.plainspoken = { open: show, close: hide };
})();

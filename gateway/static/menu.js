// The menu and the things it does: plan, save, print, how the page looks, files, starting over, ending.

import { $, button, words } from "./view.js";

const root = document.documentElement;
const panels = [["menu-button", "menu"], ["attach", "files"]];

/** What the page looks like is kept for next time; it says nothing about the patient. */
const look = {
  kept: {},
  get(name) { try { return localStorage.getItem(`plainspoken.${name}`); } catch { return this.kept[name] ?? null; } },
  set(name, value) { try { localStorage.setItem(`plainspoken.${name}`, value); } catch { this.kept[name] = value; } },
};

function toggle(opener, panel, open) {
  $(panel).hidden = !open;
  $(opener).setAttribute("aria-expanded", String(open));
}

function applyLook() {
  const dark = look.get("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = dark;
  root.dataset.size = look.get("size") ?? "normal";
  document.querySelector('[data-do="dark"]').setAttribute("aria-pressed", String(dark === "dark"));
  document.querySelector('[data-do="size"]').setAttribute("aria-pressed", String(root.dataset.size === "large"));
}

function download(name, blob) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function transcript(events) {
  const lines = events.map((event) => {
    const choices = event.buttons?.map((choice) => `[${choice.title}]`).join(" ") ?? "";
    const who = event.who === "user" ? words.you : words.assistant;
    return `${new Date(event.at * 1000).toLocaleString(root.lang)}  ${who}:\n${[event.text, choices].filter(Boolean).join("\n")}\n`;
  });
  return `${words.saved_title}\n${words.subtitle}\n\n${lines.join("\n")}`;
}

export const menu = {
  /** Close whatever is open; true when something was. */
  close() {
    const open = panels.find(([, panel]) => !$(panel).hidden);
    if (open) { toggle(...open, false); $(open[0]).focus(); }
    return Boolean(open);
  },

  offer(choices, choose) {
    document.querySelector("#menu .offers").replaceChildren(...choices.map((choice) => button(choice.title, () => { menu.close(); choose(choice); })));
  },

  start({ api, ask, events, begin, wipe, closed, report, images, problem }) {
    const acts = {
      pdf: () => menu.pdf(),
      save: () => download("chat.txt", new Blob([transcript(events)], { type: "text/plain" })),
      print: () => print(),
      size() { look.set("size", root.dataset.size === "large" ? "normal" : "large"); applyLook(); },
      dark() { look.set("theme", root.dataset.theme === "dark" ? "light" : "dark"); applyLook(); },
      async restart() {
        if (await ask(words.restart_question, words.restart_yes, words.end_no)) await leaving(api.restart, begin);
      },
      async end() {
        if (!(await ask(words.end_question, words.end_yes, words.end_no))) return;
        await leaving(api.end, (told) => { wipe(); closed(told.erased ? words.ended : words.ended_here); });
      },
    };

    async function leaving(act, then) {
      try { then(await act()); } catch (error) { problem(error.message || words.problem_down); }
    }

    menu.pdf = async () => {
      try { download("plan.pdf", await api.plan()); } catch (error) { problem(error.message || words.problem_down); }
    };
    for (const [opener, panel] of panels) {
      $(opener).addEventListener("click", () => toggle(opener, panel, $(panel).hidden));
    }
    addEventListener("click", (event) => {
      for (const [opener, panel] of panels) {
        if (!$(panel).hidden && !$(panel).contains(event.target) && !$(opener).contains(event.target)) toggle(opener, panel, false);
      }
    });
    for (const entry of document.querySelectorAll("[data-do]")) {
      entry.addEventListener("click", () => {
        if (!entry.hasAttribute("aria-pressed")) menu.close();
        acts[entry.dataset.do]();
      });
    }
    $("report").addEventListener("change", () => { menu.close(); if ($("report").files[0]) report($("report").files[0]); $("report").value = ""; });
    $("images").addEventListener("change", () => {
      menu.close();
      const list = [...$("images").files].map(({ name, type, size }) => ({ name, type, size }));
      if (list.length) images(list);
      $("images").value = "";
    });
    applyLook();
  },
};

// Small comforts; every page works without them.
"use strict";

// A worklist that stays open says so by itself when something arrives.
const news = document.getElementById("news");
if (news) {
  const title = document.title;
  const had = { warnings: +news.dataset.warnings, new: +news.dataset.new, changed: +news.dataset.changed };
  const words = [["warnings", "warning"], ["new", "new case"], ["changed", "changed case"]];
  const look = async () => {
    let now;
    try {
      const reply = await fetch("/pulse", { redirect: "manual" });
      if (!reply.ok) throw new Error("logged out");
      now = await reply.json();
    } catch {
      show("This list is no longer kept up to date. ", "Reload");
      return;
    }
    const more = words.filter(([key]) => now[key] > had[key]).map(([key, word]) => {
      const count = now[key] - had[key];
      return `${count} more ${word}${count > 1 ? "s" : ""}`;
    });
    if (more.length) {
      show(`${more.join(", ")}. `, "Show");
      document.title = `● ${more.join(", ")} – ${title}`;
    }
  };
  const show = (text, link) => {
    if (!news.hidden && news.firstChild.data === text) return; // a screen reader should hear it once
    const anchor = Object.assign(document.createElement("a"), { href: "/", textContent: link });
    news.replaceChildren(text, anchor);
    news.hidden = false;
  };
  setInterval(look, 15000);
}

// Up and down (or k and j) move between cases while the focus is in the list.
const cases = [...document.querySelectorAll(".worklist th a")];
document.querySelector(".worklist")?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const at = cases.indexOf(document.activeElement);
  if (!step || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  cases[Math.min(Math.max(at + step, 0), cases.length - 1)].focus();
});

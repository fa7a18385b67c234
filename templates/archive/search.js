"use strict";
// Filters the list by words and choices. It reads the page's own table of words, and writes
// nothing but which rows are hidden, how many are shown, and the choices after the hash sign.
(() => {
  const told = JSON.parse(document.getElementById("lookup").textContent);
  const rows = Array.from(document.querySelectorAll("#list tbody tr"));
  const form = document.getElementById("find");
  const said = document.getElementById("said");
  const words = Object.keys(told.words).sort();
  const more = document.getElementById("more");
  const FIRST = 200; // rows; a browser takes a second to lay out thousands
  let whole = false;
  const fields = ["text", "runbook", "severity", "verdict", "month", "status", "drill"];

  const tokens = (text) =>
    text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").match(/[\p{L}\p{N}]+/gu) || [];

  const firstFrom = (start) => {
    let low = 0;
    let high = words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[middle] < start) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  // The rows that have a word beginning so.
  const having = (start) => {
    const found = new Set();
    for (let at = firstFrom(start); at < words.length && words[at].startsWith(start); at += 1) {
      let place = 0;
      for (const step of told.words[words[at]].split(" ")) {
        place += parseInt(step, 36);
        found.add(place);
      }
    }
    return found;
  };

  const choice = (name) => (form.elements[name] ? form.elements[name].value : "");

  const chosen = ([runbooks, severity, verdict, month, status, drill]) =>
    (!choice("runbook") || runbooks.includes(choice("runbook"))) &&
    (!choice("severity") || severity === choice("severity")) &&
    (!choice("verdict") || verdict === choice("verdict")) &&
    (!choice("month") || month === choice("month")) &&
    (!choice("status") || status === choice("status")) &&
    (!choice("drill") || String(drill) === choice("drill"));

  const show = () => {
    const sets = tokens(choice("text")).map(having);
    let count = 0;
    rows.forEach((row, place) => {
      const fits = sets.every((set) => set.has(place)) && chosen(told.rows[place]);
      if (fits) count += 1;
      const hidden = !fits || (count > FIRST && !whole);
      if (row.hidden !== hidden) row.hidden = hidden;
    });
    more.hidden = whole || count <= FIRST;
    const fit = `${count ? count.toLocaleString("en") : "None"} of ${rows.length.toLocaleString("en")}`;
    said.textContent = more.hidden ? `${fit} shown` : `${fit}, the first ${FIRST} shown`;
  };

  const keep = () => {
    const held = new URLSearchParams();
    fields.filter(choice).forEach((name) => held.set(name, choice(name)));
    history.replaceState(null, "", `#${held}`);
  };

  const take = () => {
    const held = new URLSearchParams(location.hash.slice(1));
    fields.forEach((name) => {
      if (form.elements[name]) form.elements[name].value = held.get(name) || "";
    });
    show();
  };

  let waiting = 0;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    whole = false;
    waiting = setTimeout(() => { show(); keep(); }, 60);
  });
  form.addEventListener("reset", () => setTimeout(() => { show(); keep(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  more.firstElementChild.addEventListener("click", () => { whole = true; show(); });
  window.addEventListener("hashchange", take);
  form.hidden = false;
  said.hidden = false;
  take();
})();

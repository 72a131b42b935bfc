// The little that pages cannot do without a script: copying, following a scan, ticking boxes, sending a filter when it
// changes, and saying that an act that waits for a cloud is under way.
"use strict";

(() => {
  const INTERVAL = 2000;
  // A page that asks by itself does not keep an idle session alive.
  const POLLING = { "X-Requested-By": "page" };

  async function write(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Browsers offer the clipboard only over TLS and on the machine itself.
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  async function copy(button) {
    await write(button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent);
    if (button.classList.contains("neph-copied")) return;
    const label = button.getAttribute("aria-label");
    const shown = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const text = shown?.data;
    button.classList.add("neph-copied");
    button.setAttribute("aria-label", button.dataset.copied);
    if (shown) shown.data = button.dataset.copied;
    setTimeout(() => {
      button.classList.remove("neph-copied");
      button.setAttribute("aria-label", label);
      if (shown) shown.data = text;
    }, 1500);
  }

  async function follow(element) {
    let state;
    try {
      const answer = await fetch(element.dataset.progress, { headers: { Accept: "application/json", ...POLLING } });
      if (!answer.ok || answer.redirected) return;
      state = await answer.json();
    } catch {
      setTimeout(follow, INTERVAL, element);
      return;
    }
    if (!state.active) {
      // What the scan found is now on the page: show it, unless someone is writing.
      if (!document.querySelector("textarea:focus, input[type=text]:focus")) location.reload();
      return;
    }
    element.querySelector("progress").value = state.percent;
    element.querySelector("[data-text]").textContent = state.text;
    setTimeout(follow, INTERVAL, element);
  }

  // Put in what the same page shows now, piece by piece: what a person unfolded or stands on stays as it is.
  async function refresh() {
    try {
      const answer = await fetch(location.href, { headers: POLLING });
      if (!answer.ok || answer.redirected) return;
      const now = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!now.querySelector("[data-live]")) {
        location.reload();
        return;
      }
      for (const piece of document.querySelectorAll("[data-fresh]")) {
        const fresh = now.getElementById(piece.id);
        if (fresh && fresh.innerHTML !== piece.innerHTML) piece.innerHTML = fresh.innerHTML;
      }
    } catch {
      // The network is away; it may come back.
    }
    setTimeout(refresh, INTERVAL);
  }

  // The theme writes its icons as words, which would be read aloud.
  function silence(root) {
    for (const icon of root.querySelectorAll(".material-symbols-outlined")) icon.setAttribute("aria-hidden", "true");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (button) copy(button);
    const all = event.target.closest("[data-select-all]");
    if (all) {
      event.preventDefault();
      const boxes = document.querySelectorAll(`input[name=finding][form="${all.dataset.selectAll}"]`);
      const every = [...boxes].every((box) => box.checked);
      for (const box of boxes) box.checked = !every;
    }
    const tick = event.target.closest("[data-tick]");
    if (tick) {
      event.preventDefault();
      for (const box of tick.closest("fieldset").querySelectorAll("input[type=checkbox]")) {
        box.checked = tick.dataset.tick === "all";
      }
    }
  });

  // Arrow keys change a select at every press: who chooses by keyboard sends the form with Enter or its button.
  let byKey = false;
  document.addEventListener("keydown", () => { byKey = true; }, true);
  document.addEventListener("pointerdown", () => { byKey = false; }, true);
  document.addEventListener("change", (event) => {
    if (!byKey && event.target.matches("form[data-auto-submit] select")) event.target.form.requestSubmit();
  });

  // A filter left empty has no place in an address that is passed on.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-auto-submit]")) return;
    for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("form[data-auto-submit] :disabled")) field.disabled = false;
  });

  // The answer to a form that was refused is gone on Back, and the browser would ask to send it again: go to its page.
  history.replaceState(history.state, "", location.href);

  // Only once the form is on its way: what a disabled button stands for is not sent.
  document.addEventListener("submit", ({ submitter: button }) => {
    if (!button?.dataset.busy) return;
    setTimeout(() => {
      button.dataset.idle = button.innerHTML;
      button.textContent = button.dataset.busy;
      button.disabled = true;
    });
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[data-idle]")) {
      button.innerHTML = button.dataset.idle;
      button.disabled = false;
      delete button.dataset.idle;
    }
  });

  // The theme keeps a page hidden until its script has run, and what is hidden cannot take the focus.
  document.addEventListener("alpine:initialized", () => setTimeout(() => {
    if (document.activeElement === document.body) document.querySelector(".neph-page [autofocus]")?.focus();
  }));

  document.addEventListener("htmx:afterSwap", (event) => silence(event.target));
  document.addEventListener("DOMContentLoaded", () => {
    silence(document);
    if (document.querySelector("[data-live]")) setTimeout(refresh, INTERVAL);
    for (const element of document.querySelectorAll("[data-progress]")) setTimeout(follow, INTERVAL, element);
  });
})();

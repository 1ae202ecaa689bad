// What the pages gain by a script. Each of them works without it, too.
(() => {
  "use strict";
  const root = document.documentElement;
  const { copy, copied } = document.body.dataset;
  root.classList.add("has-script");

  // A proxy may have taken the TLS off: the browser knows the address better.
  for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;

  const addCopying = (within) => {
    for (const code of within.querySelectorAll("[data-copyable]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = copy;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = copied;
        setTimeout(() => { button.textContent = copy; }, 1500);
      });
      const frame = document.createElement("div");
      frame.className = "copyable";
      code.replaceWith(frame);
      frame.append(code, button);
    }
  };
  addCopying(document);

  for (const form of document.querySelectorAll("[data-ask]")) {
    form.addEventListener("submit", (event) => {
      if (!confirm(form.dataset.ask)) event.preventDefault();
    });
  }

  const value = document.querySelector("#value");
  if (!value) return;

  const say = (place, text) => {
    const note = document.createElement("p");
    note.className = "flash bad";
    note.textContent = text;
    place.replaceChildren(note);
  };

  // The server makes the part of the page: texts in it are escaped there.
  const show = async (place, fields, failed, signal) => {
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(value.dataset.convert, { method: "POST", body: fields, signal });
      if (!answer.ok) throw new Error(answer.statusText);
      place.innerHTML = await answer.text();
      addCopying(place);
    } catch (error) {
      if (error.name !== "AbortError") say(place, failed);
    } finally {
      if (!signal || !signal.aborted) place.setAttribute("aria-busy", "false");
    }
  };

  const text = document.querySelector("#text");
  const result = document.querySelector("#value-result");
  let running = new AbortController();
  const convert = (undo) => {
    running.abort();
    running = new AbortController();
    const fields = new URLSearchParams(new FormData(value));
    if (new TextEncoder().encode(text.value).length > Number(value.dataset.most)) {
      say(result, value.dataset.tooLong);
      return;
    }
    if (undo) fields.set("undo", undo);
    show(result, fields, value.dataset.failed, running.signal);
  };
  let pause;
  value.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(convert, 300);
  });
  value.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    convert(event.submitter && event.submitter.name === "undo" ? event.submitter.value : "");
  });
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => {
      text.value = button.dataset.sample;
      value.elements.source.value = "auto";
      convert();
    });
  }

  const call = document.querySelector("#call");
  const answered = document.querySelector("#call-result");
  const api = document.querySelector("#api");
  call.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(call));
    const began = performance.now();
    answered.setAttribute("aria-busy", "true");
    try {
      const path = `${api.dataset.base}${encodeURIComponent(api.value)}/`;
      const answer = await fetch(path, { method: "POST", body: fields });
      const body = await answer.text();
      const took = Math.round(performance.now() - began);
      const shown = new URLSearchParams({
        text: body,
        source: fields.get("result_type"),
        style: value.elements.style.value,
        method: fields.get("method"),
        args: fields.get("_o_args"),
      });
      await show(answered, shown, call.dataset.failed);
      const note = document.createElement("p");
      note.className = "read";
      note.textContent = call.dataset.took.replace("{status}", answer.status).replace("{took}", took);
      answered.prepend(note);
    } catch {
      say(answered, call.dataset.failed);
    } finally {
      answered.setAttribute("aria-busy", "false");
    }
  });
})();

/* A block that is wider than its page can be scrolled with the keyboard, too. */
addEventListener("DOMContentLoaded", () => document.querySelectorAll("pre").forEach((block) => { block.tabIndex = 0; }));

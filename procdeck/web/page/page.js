// What textual.js leaves to the page: to say why a window was closed, and to open it again.
"use strict";

async function tellWhy() {
  const said = document.getElementById("said");
  const again = document.getElementById("again");
  try {
    const answer = await fetch("/state");
    if (answer.ok) {
      const state = await answer.json();
      said.textContent = state.said;
      again.hidden = state.ended;
    } else {
      said.textContent = await answer.text();
      again.hidden = true;
    }
  } catch {
    said.textContent = "procdeck serve has ended: start it again, and open the address that it prints.";
    again.hidden = true;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("again").addEventListener("click", () => window.location.reload());
  let opened = false;
  let closed = false;
  new MutationObserver(() => {
    const is = document.body.classList;
    if (!opened && is.contains("-loaded")) {
      // Keys are for the dashboard, without a click first. Not sooner: nobody would hear of the focus.
      opened = true;
      document.querySelector(".xterm-helper-textarea").focus();
    }
    if (!closed && is.contains("-closed")) {
      closed = true;
      tellWhy();
      document.getElementById("again").focus();
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
});

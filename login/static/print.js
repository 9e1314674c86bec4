// Brings to light the button that prints the page: on a phone the browser's own is hard to find.
const hidden = document.querySelector("[data-print]");
hidden.hidden = false;
hidden.querySelector("button").addEventListener("click", () => print());

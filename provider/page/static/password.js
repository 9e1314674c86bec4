// Shows what is typed as a password to who asks for it (NIST SP 800-63B-4 §3.1.1.2), and hides it again before it is sent, so that the browser knows it
// for one.
for (const hidden of document.querySelectorAll("[data-show]")) {
	const field = document.getElementById(hidden.dataset.show);
	const button = hidden.querySelector("button");
	const words = { password: button.textContent, text: hidden.dataset.hide };
	const show = (shown) => {
		field.type = shown ? "text" : "password";
		button.textContent = words[field.type];
	};
	hidden.hidden = false;
	button.addEventListener("click", () => show(field.type === "password"));
	field.form.addEventListener("submit", () => show(false));
}

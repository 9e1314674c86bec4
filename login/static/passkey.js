// Passkeys (WebAuthn Level 3 §5.1). The pages work without: what needs a passkey is hidden until a browser has them, and these
// functions, which came in 2025.
const field = document.querySelector("input[name=passkey]");
const failed = document.querySelector("[data-passkey-failed]");
let waiting = new AbortController();

const use = (how) => navigator.credentials.get({
	...how, publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(field.dataset.ask)),
});
const make = () => navigator.credentials.create({
	publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(field.dataset.invite)),
});

// What the device answers goes with the form, like any other field.
function send(answer) {
	field.value = JSON.stringify(answer);
	field.form.submit();
}

// The browser offers passkeys in the field of the identifier (§5.1.4), where the device itself keeps some.
async function fill() {
	const identifier = field.form.querySelector("input[autocomplete~=username]");
	if (!identifier || !(await PublicKeyCredential.isConditionalMediationAvailable())
		|| !(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) {
		return;
	}
	identifier.autocomplete = "username webauthn";
	waiting = new AbortController();
	use({ mediation: "conditional", signal: waiting.signal }).then(send, () => {});
}

// Only its own button asks the device: a form may have others, by which its person wants something else.
function press(event) {
	if (!event.submitter?.matches("[data-passkey-use]")) {
		return;
	}
	event.preventDefault();
	failed.hidden = true;
	waiting.abort(); // a browser asks for one passkey at a time
	(field.dataset.ask ? use() : make()).then(send, () => {
		failed.hidden = false;
		fill();
	});
}

if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
	for (const hidden of document.querySelectorAll("[data-passkey]")) {
		hidden.hidden = false;
	}
	if (field) {
		field.form.addEventListener("submit", press);
		fill();
	}
}

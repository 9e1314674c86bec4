// Warns before the time that there is for the page is over. Whoever stays has the page opened once more behind it, which is all it takes:
// what is entered here is left as it is. Where no more time came of it, that is told.
function watch(limit) {
	const soon = limit.querySelector("dialog");
	setTimeout(() => soon.showModal(), limit.dataset.warn * 1000);
	soon.querySelector("button").addEventListener("click", async () => {
		soon.close();
		const more = limit.querySelector("a");
		let answer, text;
		try {
			answer = await fetch(more.href, {signal: AbortSignal.timeout(10_000)});
			text = await answer.text();
		} catch { // nothing was heard
			soon.querySelector("[role=alert]").hidden = false;
			soon.showModal();
			return;
		}
		const page = new DOMParser().parseFromString(text, "text/html");
		const renewed = !answer.redirected && page.getElementById("limit"); // there too if the page tells what was refused
		if (!renewed) { // it takes more than that by now: a sign-in, in another tab
			more.click();
			return;
		}
		limit.replaceWith(renewed);
		if (renewed.dataset.warn > 0) {
			watch(renewed);
			return;
		}
		const [, last] = renewed.querySelectorAll("dialog");
		last.querySelector("button").addEventListener("click", () => last.close());
		last.showModal();
	});
}

watch(document.getElementById("limit"));

// Warns before the time that there is for the page is over. Whoever stays has the page opened once more behind it, which is all it takes:
// what is entered here is left as it is.
function watch(limit) {
	const dialog = limit.querySelector("dialog");
	setTimeout(() => dialog.showModal(), limit.dataset.warn * 1000);
	limit.querySelector("button").addEventListener("click", async () => {
		dialog.close();
		const more = limit.querySelector("a");
		const answer = await fetch(more.href);
		const page = new DOMParser().parseFromString(await answer.text(), "text/html");
		const renewed = !answer.redirected && page.getElementById("limit"); // there too if the page tells what was refused
		if (!renewed) { // it takes more than that by now: a sign-in, in another tab
			more.click();
			return;
		}
		limit.replaceWith(renewed);
		watch(renewed);
	});
}

watch(document.getElementById("limit"));

// Package page holds the manners of HTML pages: languages, words, layout,
// headers, forms, the style sheet, and errors that a citizen can read.
//
// A program has one [Site]. Every room that shows pages brings it a [Room]: an
// embedded file system with
//
//	pages/sign-in.html   the page "sign-in": what stands within <main>
//	parts/name.html      templates that all pages of the site may use ({{define}})
//	words/be.json        what the pages say, by key; the same keys in ru and en
//	static/name.svg      files of the room's own, served under /static/
//
// New checks every template and every word, so that a page that cannot be said
// in one of the three languages stops the program at its start.
//
// # A page
//
// In a page the dot is a [Sheet]: .Data is what the door gave, .Here the page's
// own address (the action of a form), .At "/path" whether it stands there,
// .Title its title, which is the word "sign-in.title". Functions:
//
//	{{t "sign-in.hello" "Name" .Data.Name}}  a word; "Count" also chooses the plural
//	{{field . "identifier" …}}               a form field for {{template "input" …}}
//	{{static "name.svg"}}                    the address of a static file
//	{{day .Data.At}} {{moment .Data.At}}     a date, a date with the time in Minsk
//	{{lang}}                                 be, ru or en
//
// A whole form:
//
//	<h1 class="govuk-heading-l">{{.Title}}</h1>
//	<form method="post" action="{{.Here}}" novalidate>
//	  {{template "input" (field . "identifier" "autocomplete" "username" "value" .Data.Identifier)}}
//	  {{template "input" (field . "password" "autocomplete" "current-password")}}
//	  <button type="submit" class="govuk-button">{{t "sign-in.submit"}}</button>
//	</form>
//
// The label of a field is the word "field.identifier", its hint
// "field.identifier.hint" if there is such a word; its error comes from
// [View.Errors]. The summary of errors stands above the page by itself.
//
// # The answer to a form
//
// A door of POST shows its page as one of GET does. Where the site keeps answers
// ([Site.Keeping]) the browser is led to it, so that reload, Back and Forward
// never send a form again:
//
//	POST /sign-in   Show: the page is kept, sealed, for half a minute
//	           303  to the page that the form is on, with a cookie of that address
//	GET  /sign-in   Handle: the page that was kept, with its status
//	GET  /sign-in   from then on what the door shows
//
// A form of nobody signed in with [View.Errors] is shown again on reload as long as it is kept: until
// it is sent again, and no longer than its Retry-After says. After the language
// switch the door's own page says them, if it is the same [View.Name].
package page

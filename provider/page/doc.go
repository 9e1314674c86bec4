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
//	{{typed . "version" .Data.Version}}      what was typed, where it was refused, or else this
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
// In place of a wrong field an error may name a wait ([FieldError.Wait]), which the
// page says in words, and its header Retry-After in seconds.
//
// # The answer to a form
//
// A door of POST shows its page as one of GET does. Where the site leads to answers
// ([Site.Keeping]) the browser is led to it, so that reload, Back and Forward
// never send a form again:
//
//	POST /sign-in   Show: what was refused is left with the browser, sealed, in a cookie
//	           303  to the page that the form is on
//	GET  /sign-in   Show: the door's own page, if it is the same View.Name, with that
//	                status, those errors, and what was typed in the fields
//
// So it is said in any language and as often as it is asked for, to whom the door lets
// in: for five minutes, or as long as is to be waited, until the form is sent again.
// What else a form gives back than {{field}} goes by {{typed}}:
//
//	<input type="hidden" name="version" value="{{typed . "version" .Data.Version}}">
//	<input type="checkbox" …{{if eq (typed . "restricts" .Data.Restricts) "true"}} checked{{end}}>
//
// A page of what was done (its status is below 400) no address shows by itself: it is
// kept, sealed, in Redis for half a minute, and shown once; one of who is signed in
// ([View.SignedIn]) by a door that lets them in to another. An error is shown once.
//
// Where a form leads on by itself (http.Redirect) the answer may be lost, and the act
// is done: a door by [Site.Idempotent] leads the same form on once more.
package page

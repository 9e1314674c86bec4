// Package page holds the manners of HTML pages: languages, words, layout, headers, forms.
package page

package provider

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
)

// parameters reads what a request carries: the query of a GET, the form of a POST, never a mixture.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return form(w, r)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("invalid_request", "The query is malformed.").because(err)
	}
	return present(values), nil
}

// form reads a form of a bounded size. Multipart, which could spill to disk, is not taken.
func form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.ContentLength == 0 {
		return url.Values{}, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse("invalid_request", "The body must be application/x-www-form-urlencoded.").because(err)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, refuse("invalid_request", "The body is too long.").because(err)
		}
		return nil, refuse("invalid_request", "The body is malformed.").because(err)
	}
	for name, all := range r.PostForm {
		if len(r.Form[name]) > len(all) { // r.Form has the query's as well
			return nil, refuse("invalid_request", "A parameter was sent more than once.")
		}
	}
	return present(r.PostForm), nil
}

// present leaves out parameters without a value, which count as omitted (RFC 6749 §3.1).
func present(values url.Values) url.Values {
	for name, all := range values {
		if all = slices.DeleteFunc(all, func(v string) bool { return v == "" }); len(all) == 0 {
			delete(values, name)
		} else {
			values[name] = all
		}
	}
	return values
}

// once refuses a parameter that was sent more than once (RFC 6749 §3.1). Only resource may be (RFC 8707 §2). A description never repeats
// what was sent.
func once(values url.Values) error {
	for name, all := range values {
		if len(all) > 1 && name != "resource" {
			return refuse("invalid_request", "A parameter was sent more than once.")
		}
	}
	return nil
}

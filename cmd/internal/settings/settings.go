// Package settings reads a program's settings from the environment into its
// Config, and prints the manual out of the comments on that Config's fields.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Read fills a Config from the environment ("NAME=value" each) by its env tags.
// Any setting NAME may instead stand in a file that NAME_FILE names. A field
// with the tag url is the address of a site, and with url:"origin" one without a
// path, not even a slash. Every mistake is told at once, one a line, without the
// values, which may be secret.
func Read[Config any](environ []string) (Config, error) {
	var cfg Config
	values := env.ToMap(environ)
	params, err := env.GetFieldParamsWithOptions(&cfg, env.Options{Environment: values})
	if err != nil {
		return cfg, err
	}
	names := make(map[string]bool, len(params))
	for _, p := range params {
		names[p.Key] = true
	}
	var mistakes []error
	known := maps.Clone(values)
	for name := range names {
		path, given := values[name+"_FILE"]
		if !given || path == "" || names[name+"_FILE"] {
			continue
		}
		if values[name] != "" {
			mistakes = append(mistakes, fmt.Errorf("%s and %s_FILE are both set", name, name))
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s_FILE: %w", name, err))
		}
		known[name] = strings.TrimRight(string(text), "\r\n") // editors end files with a line's end
	}
	err = env.ParseWithOptions(&cfg, env.Options{Environment: known})
	for _, mistake := range flat(err) {
		mistakes = append(mistakes, plain[Config](mistake))
	}
	return cfg, errors.Join(append(mistakes, addresses(cfg)...)...)
}

// addresses tells the fields with the tag url that do not say where a site is.
func addresses(cfg any) []error {
	var mistakes []error
	fields := reflect.ValueOf(cfg)
	for i := range fields.NumField() {
		tag := fields.Type().Field(i).Tag
		kind, is := tag.Lookup("url")
		address := fields.Field(i).String()
		if !is || address == "" {
			continue
		}
		name, _, _ := strings.Cut(tag.Get("env"), ",")
		at, err := url.Parse(address)
		switch {
		case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https":
			mistakes = append(mistakes, fmt.Errorf("%s is not a URL such as https://example.org", name))
		case kind == "origin" && address != at.Scheme+"://"+at.Host:
			mistakes = append(mistakes, fmt.Errorf("%s is not a scheme and a host alone, such as https://example.org", name))
		}
	}
	return mistakes
}

func flat(err error) []error {
	var all env.AggregateError
	if err == nil || errors.As(err, &all) {
		return all.Errors
	}
	return []error{err}
}

// plain says a mistake in the operator's words.
func plain[Config any](err error) error {
	if missing := (env.VarIsNotSetError{}); errors.As(err, &missing) {
		return fmt.Errorf("%s is not set", missing.Key)
	}
	if wrong := (env.ParseError{}); errors.As(err, &wrong) {
		if field, ok := reflect.TypeFor[Config]().FieldByName(wrong.Name); ok {
			name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
			return fmt.Errorf("%s is not a %s", name, kind(wrong.Type))
		}
	}
	return err
}

func kind(t reflect.Type) string {
	switch {
	case t.String() == "time.Duration":
		return "duration, such as 90s, 15m or 12h"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "whole number in range"
	default:
		return t.Kind().String()
	}
}

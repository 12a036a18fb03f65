package webhookpolicy

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What SUB-4 allows. Characters are Unicode's, not bytes: é is one.
const (
	MaxEndpoint    = 1024 // characters of an endpoint
	MaxDescription = 128  // characters of a description
)

// fieldCheck gathers the rules that one subject breaks. Checks go on after the
// first, so that whoever fills in a form is told of everything at once.
type fieldCheck struct {
	subject string
	faults  []*FieldError
}

func (c *fieldCheck) fail(field, rule string, err error, reason string) {
	c.faults = append(c.faults, &FieldError{c.subject, field, rule, reason, err})
}

// joined returns the faults as one error, nil if there are none.
func joined(faults []*FieldError) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// failIf fails for the reason, if there is one.
func (c *fieldCheck) failIf(field, rule string, err error, reason string) {
	if reason != "" {
		c.fail(field, rule, err, reason)
	}
}

// check returns every rule that a subscription of this would break.
func (r *record) check() error {
	c := fieldCheck{subject: "subscription " + r.id}
	reason := checkID(r.id)
	if reason != "" { // it would not do as a name either
		c.subject = "a subscription without valid id"
	}
	c.failIf("id", "SUB-1", ErrInvalidID, reason)
	c.failIf("created_at", "SUB-1", ErrInvalidTime, checkTime(r.createdAt))
	// In a new subscription both are one, and a fault of it is told once.
	if !r.updatedAt.Equal(r.createdAt) {
		c.failIf("updated_at", "SUB-1", ErrInvalidTime, checkTime(r.updatedAt))
	}
	if r.updatedAt.Before(r.createdAt) {
		c.fail("updated_at", "SUB-1", ErrInvalidTime, "it is before created_at")
	}
	c.endpoint(r.settings.Endpoint)
	c.description(r.settings.Description)
	c.secret(r.settings.Secret.Reveal())
	c.lists(&r.settings)
	return joined(c.faults)
}

// endpoint reports every fault of the URL by itself (SUB-4). Whether its host
// has a public address is WHK-12, and seen when the connection is made.
func (c *fieldCheck) endpoint(text string) {
	fail := func(reason string) { c.fail("endpoint", "SUB-4", ErrInvalidEndpoint, reason) }
	if n := utf8.RuneCountInString(text); n > MaxEndpoint {
		fail(fmt.Sprintf("it has %d characters; at most %d are allowed", n, MaxEndpoint))
	}
	// What follows looks into parts that these have not, or have wrong.
	switch {
	case text == "":
		fail("it is empty; an https URL is wanted")
		return
	case !utf8.ValidString(text):
		fail("it is not valid UTF-8")
		return
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		fail("it contains spaces or control characters, which a URL has in escaped form")
		return
	}
	// The parser's error repeats the URL, which may hold a password.
	u, err := url.Parse(text)
	if err != nil {
		fail("it cannot be read as a URL")
		return
	}
	if u.Scheme != "https" {
		fail("its scheme is not https")
	}
	// Host alone would be ":443" where only the port is given.
	if u.Hostname() == "" {
		fail("it names no host")
	}
	// The parser wants digits, and takes any number of them.
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			fail("its port is not from 1 to 65535")
		}
	}
	// They would be stored, shown and logged with the endpoint.
	if u.User != nil {
		fail("it contains a user name or a password; calls are authenticated by their signature")
	}
	// Not u.Fragment, which is empty for "https://example.com/#" too; and health
	// is kept for each exact URL (WHK-8), so two that call the same must not pass.
	if strings.Contains(text, "#") {
		fail("it has a fragment, which no server gets to see")
	}
}

// description checks a text that every call carries (SUB-4). It may be empty, and
// may have lines.
func (c *fieldCheck) description(text string) {
	if n := utf8.RuneCountInString(text); n > MaxDescription {
		c.fail("description", "SUB-4", ErrInvalidDescription,
			fmt.Sprintf("it has %d characters; at most %d are allowed", n, MaxDescription))
	}
	c.failIf("description", "SUB-4", ErrInvalidDescription, checkText(text))
}

// secret checks a key. No reason tells anything of it but how long it is.
func (c *fieldCheck) secret(key string) {
	switch n := utf8.RuneCountInString(key); {
	case key == "":
		c.fail("secret_key", "SUB-4", ErrInvalidSecret, "there is none; SecretFromRandom makes one")
		return
	case n != SecretCharacters:
		c.fail("secret_key", "SUB-4", ErrInvalidSecret,
			fmt.Sprintf("it has %d characters; %d are wanted", n, SecretCharacters))
	}
	c.failIf("secret_key", "SUB-4", ErrInvalidSecret, checkText(key))
}

// lists checks SUB-3 and SUB-5.
func (c *fieldCheck) lists(s *Settings) {
	// Here an unknown name is a misspelt one: names of the future are covered by
	// the wildcard, and by nothing else.
	checkList(c, "subscribed_events", s.Events, func(field string, n EventName) {
		if !n.Known() {
			unknown := newUnknownEvent(string(n))
			c.fail(field, "SUB-3", unknown, "unknown event "+unknown.reason())
		}
	})
	// Scopes are open. What is no text could not be written and read again.
	checkList(c, "scopes", s.Scopes, func(field, scope string) {
		reason := checkText(scope)
		if scope == "" {
			reason = "it is empty"
		}
		c.failIf(field, "SUB-3", ErrInvalidList, reason)
	})
	checkList(c, "workspaces", s.Workspaces, func(field, workspace string) {
		c.failIf(field, "SUB-3", ErrInvalidList, checkID(workspace))
	})
	// An empty list has been told of; that it should be * is no news then.
	if s.Sandbox && len(s.Workspaces) > 0 && (len(s.Workspaces) > 1 || s.Workspaces[0] != Wildcard) {
		c.fail("workspaces", "SUB-5", ErrSandboxWorkspaces, "a sandbox subscription takes * alone")
	}
}

// checkList checks what SUB-3 asks of each list, and its elements by element.
func checkList[T ~string](c *fieldCheck, field string, list []T, element func(field string, v T)) {
	if len(list) == 0 {
		c.fail(field, "SUB-3", ErrInvalidList, "it is empty; * alone stands for everything")
	}
	// A map, because a list from outside may have a hundred thousand elements.
	seen := make(map[T]bool, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case seen[v]:
			c.fail(at, "SUB-3", ErrInvalidList, clip(string(v))+" stands in the list already")
		case v != Wildcard:
			element(at, v)
		case len(list) > 1:
			c.fail(at, "SUB-3", ErrInvalidList, "* stands beside others; it must stand alone")
		}
		seen[v] = true
	}
}

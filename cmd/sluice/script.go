package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluicego/sluice/attempt"
	"github.com/sluicego/sluice/session"
)

// script is a session's life as a list of commands.
type script struct {
	title string
	steps []step
}

// step is a command with the time at which it is given.
type step struct {
	note    string
	at      time.Time
	command session.Command
}

// scriptJSON is a script in its file. A step is a command as
// [session.UnmarshalCommand] reads it, with the members of stepJSON besides.
type scriptJSON struct {
	Title    string                       `json:"title"`
	Template json.RawMessage              `json:"template"`
	Steps    []map[string]json.RawMessage `json:"steps"`
}

type stepJSON struct {
	Note   string          `json:"note"`
	At     string          `json:"at"`
	Inputs json.RawMessage `json:"inputs"`
}

// parseScript reads a script, all of it before any of it is played. An error
// in a step says in which.
func parseScript(data []byte) (script, error) {
	// A Decoder alone would not see what follows the script.
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return script{}, err
	}
	var wire scriptJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wire); err != nil {
		return script{}, err
	}
	if len(wire.Steps) == 0 {
		return script{}, errors.New("it has no steps")
	}
	read := script{title: wire.Title}
	var sessionID string
	for i, members := range wire.Steps {
		next, err := parseStep(members, wire.Template, sessionID)
		if err != nil {
			return script{}, fmt.Errorf("step %d: %w", i+1, plainly(err))
		}
		if create, ok := next.command.(session.Create); ok {
			sessionID = create.ID
		}
		read.steps = append(read.steps, next)
	}
	return read, nil
}

// parseStep reads a step. The template is that of the script, for a create
// that brings none.
func parseStep(members map[string]json.RawMessage, template json.RawMessage, sessionID string) (step, error) {
	own, command, err := divide(members, template)
	if err != nil {
		return step{}, err
	}
	at, err := time.Parse(time.RFC3339, own.At)
	if own.At == "" {
		return step{}, errors.New("at is missing: the time of the command, as 2025-09-22T14:30:00Z")
	} else if err != nil {
		return step{}, fmt.Errorf("at: %q is no time; one is 2025-09-22T14:30:00Z", own.At)
	}
	c, err := session.UnmarshalCommand(command)
	if err != nil {
		return step{}, err
	}
	link, isLink := c.(session.Link)
	switch {
	case own.Inputs == nil:
	case !isLink:
		return step{}, errors.New("inputs are those of a link")
	case !link.Inputs.IsZero():
		return step{}, errors.New("inputs and inputs_digest exclude each other")
	default:
		if link.Inputs, err = attempt.NewDigester(sessionID, nil).Digest(own.Inputs); err != nil {
			return step{}, fmt.Errorf("inputs: %w", err)
		}
		c = link
	}
	return step{own.Note, at, complete(c, at)}, nil
}

// divide takes a step apart: what is the script's own, and the command.
func divide(members map[string]json.RawMessage, template json.RawMessage) (stepJSON, []byte, error) {
	mine, command := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, value := range members {
		switch name {
		case "note", "at", "inputs":
			mine[name] = value
		default:
			command[name] = value
		}
	}
	switch string(members["command"]) {
	case `"create"`:
		if _, given := members["template"]; !given && template != nil {
			command["template"] = template
		}
	case `"transition"`:
		// What the host itself brings about happens when it says so.
		command["at"] = mine["at"]
	}
	var own stepJSON
	text, err := json.Marshal(mine)
	if err == nil {
		err = json.Unmarshal(text, &own)
	}
	if err != nil {
		return own, nil, err
	}
	text, err = json.Marshal(command)
	return own, text, err
}

// complete fills in the provider's times where the script leaves them out: as
// if the host had heard at once.
func complete(c session.Command, at time.Time) session.Command {
	orAt := func(t *time.Time) {
		if t.IsZero() {
			*t = at
		}
	}
	switch c := c.(type) {
	case session.Link:
		orAt(&c.Resource.CreatedAt)
		orAt(&c.Resource.AsOf)
		return c
	case session.Observe:
		orAt(&c.AsOf)
		return c
	default:
		return c
	}
}

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/sluicego/sluice/webhookpolicy"
)

var schedule = command{
	name:  "schedule",
	short: "tells when a webhook is sent again if calls fail",
	long: `
It plays the delivery of one event whose calls end as you say, and tells when
each of them goes out: its number, which the call itself bears in a header, the
time, how long after the event that is, and how the call ends.

An END is a status that the endpoint answers (503), timeout, or a result that
has none: connection_refused, connection_failed, tls_failed, dns_failed,
address_refused or too_many_redirects. A time-out takes as long as the call was
granted, everything else no time.

A policy is a JSON object of the settings that differ from the default:

  {"retry_timeout": "30s", "delays": ["1m", "10m", "1h30m"], "gone_ends": true}`,
	prepare: func(flags *flag.FlagSet) func(streams, []string) error {
		first, then := answered(503), answered(503)
		start := time.Now().UTC().Truncate(time.Second)
		autoRetry := flags.Bool("auto-retry", true, "what the subscription says")
		flags.Func("first", "how the first call ends, an `END` (default 503)", endFlag(&first))
		flags.Func("then", "how all others end, an `END` (default 503)", endFlag(&then))
		flags.Func("start", "the `time` of the event, as in 2025-09-22T14:30:00Z (default now)", func(text string) (err error) {
			if start, err = time.Parse(time.RFC3339, text); err != nil {
				err = errors.New("it is no time; one is 2025-09-22T14:30:00Z")
			}
			return err
		})
		file := flags.String("policy", "", "`FILE` with a policy; - is the standard input")
		return func(s streams, operands []string) error {
			if len(operands) > 0 {
				return usagef("nothing is wanted; got %q", operands)
			}
			policy, err := readPolicy(s, *file)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(s.out, webhookpolicy.Timetable(policy, *autoRetry, start, first, then))
			return err
		}
	},
}

func answered(status int) webhookpolicy.Outcome {
	return webhookpolicy.Outcome{Result: webhookpolicy.Answered, Status: status}
}

// endFlag reads how a call ends.
func endFlag(o *webhookpolicy.Outcome) func(string) error {
	return func(text string) error {
		var end webhookpolicy.Outcome
		if status, err := strconv.Atoi(text); err == nil {
			end = answered(status)
			if status < 100 || status > 599 {
				return errors.New("a status is from 100 to 599")
			}
		} else if text == "timeout" {
			end.Result = webhookpolicy.TimedOut
		} else if err := end.Result.UnmarshalText([]byte(text)); err != nil ||
			end.Result == webhookpolicy.Answered || end.Result == webhookpolicy.BodyTooLong {
			return errors.New("it is a status, timeout, or a result that has none, such as dns_failed")
		}
		*o = end
		return nil
	}
}

// readPolicy returns the policy in a file, the default one without a file.
func readPolicy(s streams, file string) (webhookpolicy.Policy, error) {
	policy := webhookpolicy.DefaultPolicy()
	if file == "" {
		return policy, nil
	}
	data, name, err := readFile(s, file)
	if err != nil {
		return policy, err
	}
	err = json.Unmarshal(data, &policy)
	var document *webhookpolicy.DocumentError
	var shape *json.UnmarshalTypeError
	switch {
	case err == nil:
		return policy, nil
	case errors.As(err, &document) && !errors.As(err, &shape):
		err = document.Err // inFile says where in its own words
	}
	return policy, inFile(name, data, err)
}

package conformance

// mutant is a wrong variant of the library, as somebody might write it who has
// misread a rule or forgotten a case. The vectors have to notice.
type mutant struct {
	area string // whose vectors have to catch it
	rule string // that it breaks, and that the vector has to name
	name string // what it does
	file string // relative to the root of the repository
	text string // of the file, which has it once
	with string // what stands in its place
}

// mutants are wrong variants for every area.
func mutants() []mutant {
	var list []mutant
	for _, some := range [][]mutant{
		resourceMutants, attemptMutants, resolveMutants, groupMutants, sessionMutants, jsonMutants,
		subscriptionMutants, matchMutants, deliveryMutants, healthMutants, signatureMutants, envelopeMutants,
	} {
		list = append(list, some...)
	}
	return list
}

var resourceMutants = []mutant{
	{
		"resource", "RES-6", "names in any case", "internal/enum/enum.go",
		"n.byText[string(text)]", "n.byText[strings.ToLower(string(text))]",
	}, {
		"resource", "ACT-4", "parts of a second count", "action/action.go",
		"cmp.Compare(asOf.Unix(), r.AsOf.Unix()),", "asOf.Compare(r.AsOf),",
	}, {
		"resource", "ACT-4", "as-of stays if the status does", "action/action.go",
		"r.Status, r.AsOf = s, Seconds(asOf)", "if r.Status != s {\nr.Status, r.AsOf = s, Seconds(asOf)\n}",
	}, {
		"resource", "ACT-4", "a contradiction is taken", "action/action.go",
		"case !m.Reaches(r.Status, s):", "case false:",
	}, {
		"resource", "ACT-4", "failed ranks below inconclusive", "action/machine.go",
		"Inconclusive, Failed, success)", "Failed, Inconclusive, success)",
	}, {
		"resource", "ACT-5", "a missed step is a contradiction", "action/action.go",
		"case !m.Reaches(r.Status, s):", `case r.Status != s && !slices.ContainsFunc(slices.Collect(m.Allowed(r.Status)), func(e Event) bool {
			next, err := m.Next(r.Status, e)
			return err == nil && next == s
		}):`,
	},
}

var attemptMutants = []mutant{
	{
		"attempt", "ATT-1", "what is deleted can be retried", "attempt/retry.go",
		"if s.IsBlocking() || s.IsComplete() {", "if s.IsBlocking() || s.IsComplete() || s == action.Deleted {",
	}, {
		"attempt", "ATT-2", "what is complete can be retried", "attempt/retry.go",
		"notResolved, notComplete, blocking,", "notResolved, blocking,",
	}, {
		"attempt", "ATT-5", "nine attempts", "attempt/attempt.go", "const Max = 10", "const Max = 9",
	}, {
		"attempt", "ATT-5", "ten retries", "attempt/attempt.go", "const Max = 10", "const Max = 11",
	}, {
		"attempt", "ATT-6", "inputs are compared with those of the first attempt", "attempt/retry.go",
		"was, now := c.main.Inputs, r.Next.Inputs",
		"was, now := append(c.previous[:len(c.previous):len(c.previous)], c.main)[0].Inputs, r.Next.Inputs",
	}, {
		"attempt", "ATT-6", "inputs are compared with those of every attempt", "attempt/retry.go",
		"case was == now:", `case func() bool {
			for _, a := range c.previous {
				if a.Inputs == now {
					return true
				}
			}
			return was == now
		}():`,
	}, {
		"attempt", "ATT-6", "inputs that are not given differ", "attempt/retry.go", "case now.IsZero():", "case false:",
	}, {
		"attempt", "ATT-13", "the type is looked at before the number", "attempt/retry.go",
		"attemptsLeft, sameType,", "sameType, attemptsLeft,",
	}, {
		"attempt", "ATT-6", "the workspace is an input", "attempt/digest.go",
		`"previous_attempt_id", "workspace_id"}`, `"previous_attempt_id"}`,
	}, {
		"attempt", "ATT-9", "previous attempts are not frozen", "attempt/attempt.go",
		"case sound:\n\t\treturn c, action.Frozen, nil", `case sound:
		next, outcome, err := move(c.previous[n-1].Resource)
		c.previous = slices.Clone(c.previous)
		c.previous[n-1].Resource = next
		return c, outcome, err`,
	},
}

var resolveMutants = []mutant{
	{
		"resolve", "RSL-1", "a signature request is resolved", "attempt/attempt.go",
		"main := c.main.Resource\n\tswitch {", `main := c.main.Resource
	if n > 0 && n == c.Len() && !main.Type.IsVerification() && main.Status.IsBlocking() && c.resolution == nil {
		return c.resolved(r), nil
	}
	switch {`,
	}, {
		"resolve", "RSL-3", "a resolution settles only what blocks", "group/status.go",
		"case resolved: // RSL-3", "case resolved && status.IsBlocking(): // RSL-3",
	}, {
		"resolve", "RSL-4", "a reason of 151 characters", "attempt/attempt.go", "const MaxReason = 150", "const MaxReason = 151",
	}, {
		"resolve", "RSL-4", "a reason of 150 bytes", "attempt/attempt.go",
		"utf8.RuneCountInString(r.Reason)", "len(r.Reason)",
	}, {
		"resolve", "RSL-5", "a second resolution replaces the first", "attempt/attempt.go", "case c.resolution != nil:", "case false:",
	},
}

var groupMutants = []mutant{
	{
		"group", "GRP-1", "what is deleted counts", "group/status.go",
		"case status == action.Deleted:\n\t\treturn Awaiting", "case status == action.Deleted:\n\t\treturn Ongoing",
	}, {
		"group", "GRP-6", "what is deleted blocks", "group/status.go",
		"case status == action.Deleted:\n\t\treturn Awaiting", "case status == action.Deleted:\n\t\treturn Blocked",
	}, {
		"group", "GRP-3", "a draft keeps a group from being done", "group/status.go",
		"case status == action.Draft:\n\t\treturn Awaiting", "case status == action.Draft:\n\t\treturn Ongoing",
	}, {
		"group", "GRP-4", "what awaits data is awaiting", "group/status.go",
		"case status == action.Draft:", "case status == action.Draft || status == action.AwaitingData:",
	}, {
		"group", "GRP-5", "the last one decides", "group/status.go",
		"all.says |= e.says", "if e.says != 0 {\nall.says = e.says\n}",
	}, {
		"group", "ATT-10", "previous attempts count", "conformance/answer/group.go",
		"a.entries = append(a.entries, entry(chain))", `for _, t := range chain.Attempts() {
		a.entries = append(a.entries, group.EntryOf(t.Resource.Status, s.Resolved))
	}`,
	},
}

var sessionMutants = []mutant{
	{
		"session", "SES-2", "done and awaiting are done", "session/session.go",
		"case seen[Ongoing], seen[Done] && seen[Awaiting]:", "case seen[Ongoing]:",
	}, {
		"session", "SES-2", "ongoing outweighs blocked", "session/session.go",
		"case seen[Blocked]:", "case seen[Blocked] && !seen[Ongoing]:",
	}, {
		"session", "SES-3", "the first of several workspaces is taken", "session/template.go",
		"case len(t.Workspaces) == 1:", "case len(t.Workspaces) > 0:",
	}, {
		"session", "SES-7", "to become awaiting is announced", "session/event.go",
		`Ongoing: "workflow_session.started",`, `Awaiting: "workflow_session.awaiting", Ongoing: "workflow_session.started",`,
	}, {
		"session", "SES-7", "what goes on after a block is not announced", "session/event.go",
		`name == "" || !m.Moved() {`, `name == "" || !m.Moved() || m.From == Blocked && m.To == Ongoing {`,
	}, {
		"session", "SES-8", "as-of moves updated_at", "session/apply.go",
		"f.Status, f.AsOf)\n\t\tvisible = status(after) != status(before)", "f.Status, f.AsOf)",
	}, {
		"session", "SES-8", "updated_at goes back", "session/apply.go",
		"next.visible && now.After(s.updatedAt)", "next.visible",
	}, {
		"session", "SES-8", "what is stale moves updated_at", "session/apply.go",
		"if outcome != action.Taken {", "if outcome == action.Stale {\ns.updatedAt = action.Seconds(now)\n}\nif outcome != action.Taken {",
	}, {
		"session", "SES-9", "a retry is offered where inputs are not known", "session/blocker.go",
		"c.Left() > 0 && (!main.Inputs.IsZero() || s.fromDocument)", "c.Left() > 0",
	}, {
		"session", "SES-11", "a name has 128 bytes", "session/template.go",
		"utf8.RuneCountInString(name)", "len(name)",
	},
}

var jsonMutants = []mutant{
	{
		"json", "SES-10", "times end in Z", "session/wire.go", "\"+00:00\"...", "\"Z\"...",
	}, {
		"json", "SES-10", "a document must have a name", "session/snapshot.go", `if whole || b.s.name != "" {`, "{",
	}, {
		"json", "SES-10", "a status is as of when its resource was made", "session/document.go",
		`CreatedAt: b.time(path+".created_at", r.CreatedAt),`,
		`CreatedAt: b.time(path+".created_at", r.CreatedAt), AsOf: b.time(path+".created_at", r.CreatedAt),`,
	}, {
		"json", "SES-10", "previous attempts stand newest first", "session/writer.go",
		"w.resource(all[i], all[i-1].ID)", "w.resource(all[newest-i], all[newest-i-1].ID)",
	},
}

var subscriptionMutants = []mutant{
	{
		"subscription", "SUB-3", "a wildcard stands beside others", "webhookpolicy/subscriptionrules.go",
		"case len(list) > 1:", "case false:",
	}, {
		"subscription", "SUB-4", "a description has 128 bytes", "webhookpolicy/subscriptionrules.go",
		"n := utf8.RuneCountInString(text); n > MaxDescription", "n := len(text); n > MaxDescription",
	}, {
		"subscription", "SUB-4", "a key has 32 UTF-16 units", "webhookpolicy/subscriptionrules.go",
		"n := utf8.RuneCountInString(key)", `n := func() (n int) {
		for _, r := range key {
			if n++; r > '\uffff' {
				n++
			}
		}
		return n
	}()`,
	}, {
		"subscription", "SUB-5", "the sandbox has workspaces", "webhookpolicy/subscriptionrules.go",
		"if s.Sandbox && len(s.Workspaces) > 0", "if false && len(s.Workspaces) > 0",
	},
}

var matchMutants = []mutant{
	{
		"match", "SUB-2", "what is disabled matches", "webhookpolicy/matcher.go", "if !settings.Enabled {", "if false {",
	}, {
		"match", "SUB-2", "the sandbox is ignored", "webhookpolicy/matcher.go",
		"named(e.Workspace), e.Sandbox}", "named(e.Workspace), false}",
	}, {
		"match", "SUB-2", "an event without workspace matches all workspaces", "webhookpolicy/matcher.go",
		"\t// The lists are in no order:", `	for _, x := range m.byID {
		with := e
		if with.Workspace = x.subscription.Workspaces()[0]; e.Workspace == "" && with.Workspace != Wildcard && x.subscription.Matches(with) {
			found = append(found, x)
		}
	}
	// The lists are in no order:`,
	},
}

var deliveryMutants = []mutant{
	{
		"delivery", "WHK-1", "a redirect is a failure", "webhookpolicy/outcome.go", "o.Status <= 399", "o.Status <= 299",
	}, {
		"delivery", "WHK-3", "delays count from the beginning of the call", "webhookpolicy/policy.go",
		"return o.Ended.UTC().Add(delay)", "return o.Began.UTC().Add(delay)",
	}, {
		"delivery", "WHK-5", "a first call that timed out is not owed a retry", "webhookpolicy/delivery.go",
		"return d.made == 1 && d.calls[0].result == TimedOut", "return false",
	}, {
		"delivery", "WHK-5", "a first call that timed out is owed every retry", "webhookpolicy/delivery.go",
		"return d.made == 1 && d.calls[0].result == TimedOut", "return d.made >= 1 && d.calls[0].result == TimedOut",
	}, {
		"delivery", "WHK-7", "auto_retry is not read when a call falls due", "webhookpolicy/decide.go",
		"case !t.autoRetry && d.number() > 0 && !d.owed(): // WHK-4, WHK-5\n\t\td.cancel", "case false:\n\t\td.cancel",
	}, {
		"delivery", "WHK-13", "Retry-After has no limit", "webhookpolicy/policy.go",
		"min(o.RetryAfter, p.MaxRetryAfter)", "o.RetryAfter",
	}, {
		"delivery", "WHK-13", "Retry-After shortens the delay", "webhookpolicy/policy.go",
		"delay := max(p.Delays[number-1], min(o.RetryAfter, p.MaxRetryAfter))",
		"delay := p.Delays[number-1]\nif o.RetryAfter > 0 {\ndelay = min(o.RetryAfter, p.MaxRetryAfter)\n}",
	}, {
		"delivery", "WHK-13", "410 to the last call exhausts", "webhookpolicy/decide.go",
		"case p.GoneEnds && o.gone():\n\t\td.cancel(ReasonGone)\n\tcase next",
		"case p.GoneEnds && o.gone() && next <= p.retries():\n\t\td.cancel(ReasonGone)\n\tcase next",
	},
}

var healthMutants = []mutant{
	{
		"health", "WHK-8", "twenty-one calls", "webhookpolicy/health.go", "ended >= p.MinEnded", "ended > p.MinEnded",
	}, {
		"health", "WHK-8", "first calls enter the window", "webhookpolicy/health.go",
		"case h.condition == Open && d.made > 0:", "case h.condition == Open:",
	}, {
		"health", "WHK-8", "probes come in even intervals", "webhookpolicy/health.go",
		"min(2*min(h.wait, math.MaxInt64/2), p.ProbeMax)", "min(min(h.wait, math.MaxInt64/2), p.ProbeMax)",
	}, {
		"health", "WHK-8", "what is released is due", "webhookpolicy/decide.go",
		"d.move(release)\n\t\t}\n\t}\n", "d.move(release)\n\t\t\td.due = now\n\t\t}\n\t}\n",
	}, {
		"health", "WHK-8", "a probe that fails is a retry used up", "webhookpolicy/decide.go",
		"d.probes, d.probe = d.probes+1, recordOf(o)", "d.record(o)",
	}, {
		"health", "WHK-8", "parked calls go out newest first", "webhookpolicy/delivery.go",
		"d.created.Compare(than.created)", "than.created.Compare(d.created)",
	},
}

var signatureMutants = []mutant{
	{
		"signature", "WHK-11", "the prefix in any case", "webhookpolicy/signature.go",
		"strings.CutPrefix(header, signaturePrefix)", "strings.CutPrefix(strings.ToLower(header), signaturePrefix)",
	}, {
		"signature", "WHK-11", "space around a body is not signed", "webhookpolicy/signature.go",
		"\tmac.Write(body)", "\tmac.Write([]byte(strings.TrimSpace(string(body))))",
	}, {
		"signature", "WHK-11", "the first key alone is valid", "webhookpolicy/signature.go",
		"range secrets {", "range secrets[:1] {",
	}, {
		"signature", "WHK-10", "a call from the future is authentic", "webhookpolicy/receiver.go",
		"age > tolerance || age < -tolerance", "age > tolerance",
	},
}

var envelopeMutants = []mutant{
	{
		"envelope", "WHK-6", "the first call has the number 1", "webhookpolicy/headers.go",
		"strconv.Itoa(retry)", "strconv.Itoa(retry + 1)",
	}, {
		"envelope", "WHK-9", "one id for all subscriptions", "webhookpolicy/envelope.go", "hash.Write([]byte(subscription))", "",
	}, {
		"envelope", "WHK-10", "event_time is a number", "webhookpolicy/envelope.go",
		"strconv.FormatInt(e.EventTime.Unix(), 10)", "e.EventTime.Unix()",
	},
}

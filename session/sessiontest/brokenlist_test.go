package sessiontest_test

import (
	"sync/atomic"

	"github.com/sluicego/sluice/session"
)

// brokenBoxes are stores with a fault in their outbox: see brokenStores.
var brokenBoxes = []brokenStore{
	{
		fault:  "outbox: announced before it is saved",
		open:   boxed("announced before it is saved"),
		caught: "outbox-refused model",
	},
	{
		fault:  "outbox: announced in another transaction",
		open:   boxed("announced in another transaction"),
		caught: "outbox-together",
	},
	{
		fault:  "outbox: positions before the save",
		open:   boxed("positions before the save"),
		caught: "outbox-writers",
	},
	{
		fault:  "outbox: the last event alone",
		open:   boxed("the last event alone"),
		caught: "outbox outbox-positions outbox-cursors outbox-canceled outbox-returned claim claim-lease claim-readers acknowledge model",
	},
	{
		fault:  "outbox: newest first",
		open:   boxed("newest first"),
		caught: "outbox outbox-refused outbox-together outbox-positions outbox-writers outbox-cursors outbox-canceled outbox-returned claim claim-lease acknowledge model",
	},
	{
		fault:  "outbox: whole seconds",
		open:   boxed("whole seconds"),
		caught: "outbox outbox-refused outbox-together outbox-positions outbox-cursors outbox-canceled outbox-returned claim claim-lease acknowledge model",
	},
	{
		fault:  "outbox: used positions",
		open:   boxed("used positions"),
		caught: "outbox-positions model",
	},
	{
		fault:  "outbox: counted positions",
		open:   boxed("counted positions"),
		caught: "outbox-positions model",
	},
	{
		fault:  "outbox: from the position",
		open:   boxed("from the position"),
		caught: "outbox-positions outbox-writers model",
	},
	{
		fault:  "outbox: as many as there are",
		open:   boxed("as many as there are"),
		caught: "outbox-positions model",
	},
	{
		fault:  "outbox: what is held is hidden",
		open:   boxed("what is held is hidden"),
		caught: "outbox-positions outbox-returned claim-lease acknowledge model",
	},
	{
		fault:  "outbox: any text is a position",
		open:   boxed("any text is a position"),
		caught: "outbox-cursors",
	},
	{
		fault:  "outbox: claims for who is gone",
		open:   boxed("claims for who is gone"),
		caught: "outbox-canceled",
	},
	{
		fault:  "outbox: acknowledged for who is gone",
		open:   boxed("acknowledged for who is gone"),
		caught: "outbox-canceled",
	},
	{
		fault:  "outbox: read for who is gone",
		open:   boxed("read for who is gone"),
		caught: "outbox-canceled",
	},
	{
		fault:  "outbox: none is an error",
		open:   boxed("none is an error"),
		caught: "claim claim-lease claim-readers acknowledge model",
	},
	{
		fault:  "outbox: held in another step",
		open:   boxed("held in another step"),
		caught: "claim-readers",
	},
	{
		fault:  "outbox: held by nobody",
		open:   boxed("held by nobody"),
		caught: "claim claim-lease claim-readers model",
	},
	{
		fault:  "outbox: held for ever",
		open:   boxed("held for ever"),
		caught: "outbox-returned claim-lease acknowledge model",
	},
	{
		fault:  "outbox: leases end early",
		open:   boxed("leases end early"),
		caught: "claim-lease model",
	},
	{
		fault:  "outbox: leases end late",
		open:   boxed("leases end late"),
		caught: "outbox-returned claim-lease model",
	},
	{
		fault:  "outbox: nothing is removed",
		open:   boxed("nothing is removed"),
		caught: "outbox-positions outbox-returned acknowledge model",
	},
	{
		fault:  "outbox: all before is removed",
		open:   boxed("all before is removed"),
		caught: "outbox-positions acknowledge model",
	},
	{
		fault:  "outbox: what nobody holds stays",
		open:   boxed("what nobody holds stays"),
		caught: "outbox-positions acknowledge model",
	},
	{
		fault:  "outbox: strange positions are errors",
		open:   boxed("strange positions are errors"),
		caught: "acknowledge",
	},
	{
		fault:  "outbox: what is gone is an error",
		open:   boxed("what is gone is an error"),
		caught: "acknowledge model",
	},
	{
		fault:  "the outbox's entries are returned",
		open:   func() session.Store { return newLendingBox() },
		caught: "outbox-returned",
	},
	{
		fault:  "who holds what is forgotten with the process",
		open:   forgetting(leases),
		caught: "outbox-reopen",
	},
	{
		fault:  "positions begin again with the process",
		open:   forgetting(numbers),
		caught: "outbox-reopen",
	},
}

// brokenSweeps are stores with a fault in their archive: see brokenStores.
var brokenSweeps = []brokenStore{
	{
		fault:  "a sweep leaves out one",
		open:   each(omitting),
		caught: "sweep sweep-break sweep-written verify-all",
	},
	{
		fault:  "a sweep yields one twice",
		open:   each(stuttering),
		caught: "sweep sweep-break sweep-written verify-all",
	},
	{
		fault:  "a sweep leaves out events",
		open:   each(shortened),
		caught: "sweep sweep-break sweep-written verify-all",
	},
	{
		fault:  "a sweep does not say of what a record is",
		open:   each(nameless),
		caught: "sweep sweep-break sweep-written verify-all",
	},
	{
		fault:  "a sweep goes on",
		open:   each(obstinate),
		caught: "sweep-break",
	},
	{
		fault:  "a sweep ends without a word",
		open:   swept(quiet),
		caught: "sweep-canceled",
	},
	{
		fault:  "a sweep does not listen to contexts",
		open:   swept(unstoppable),
		caught: "sweep-canceled",
	},
	{
		fault:  "a sweep goes on when its context is done",
		open:   swept(insistent),
		caught: "sweep-canceled",
	},
	{
		fault:  "a sweep reads sessions and events in two steps",
		open:   swept(divided),
		caught: "sweep-written",
	},
	{
		fault:  "a sweep that is broken off locks",
		open:   func() session.Store { return possessive{newSlow(), new(atomic.Bool)} },
		caught: "sweep-break",
	},
}

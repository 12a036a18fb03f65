package looplab_test

import (
	"context"
	"errors"
	"fmt"

	loop "github.com/looplab/fsm"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/fsm"
	"github.com/sluicego/sluice/fsm/looplab"
)

// Position is a state of the door that the examples are about.
type Position uint8

const (
	Closed Position = iota + 1
	Open
)

func (p Position) String() string { return [...]string{"none", "closed", "open"}[p] }

// Push is an event of the door.
type Push uint8

const (
	Opens Push = iota + 1
	Closes
)

func (p Push) String() string { return [...]string{"none", "opens", "closes"}[p] }

// A table that was written for looplab becomes a machine of this module, and
// looplab's table again.
func ExampleRows() {
	table := loop.Events{
		{Name: "opens", Src: []string{"closed"}, Dst: "open"},
		{Name: "closes", Src: []string{"open"}, Dst: "closed"},
	}
	states := []Position{Closed, Open}

	rows, err := looplab.Rows(table, states, []Push{Opens, Closes})
	if err != nil {
		fmt.Println(err)
		return
	}
	door, err := fsm.Compile(fsm.Table[Position, Push]{
		Name: "door", States: states, Initial: []Position{Closed}, Rows: rows,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	fmt.Println(door.Next(Closed, Opens))
	fmt.Println(looplab.Events(door))
	// Output:
	// open <nil>
	// [{opens [closed] open} {closes [open] closed}] <nil>
}

// What a name stands for is never guessed.
func ExampleRows_unknownName() {
	_, err := looplab.Rows(loop.Events{
		{Name: "opens", Src: []string{"closed"}, Dst: "ajar"},
		{Name: "slams", Src: []string{"open"}, Dst: "closed"},
	}, []Position{Closed, Open}, []Push{Opens, Closes})
	fmt.Println(err)
	// Output:
	// looplab: event 1: state "ajar" is unknown (known: closed, open)
	// looplab: event 2: event "slams" is unknown (known: opens, closes)
}

// A host hangs callbacks on the machine of signature requests.
func ExampleNew() {
	ctx := context.Background()
	machine := action.TypeSignatureRequest.Machine()

	request, err := looplab.New(machine, action.Ongoing, loop.Callbacks{
		"before_canceled": func(_ context.Context, e *loop.Event) {
			e.Cancel(errors.New("only an admin may"))
		},
		"enter_done": func(_ context.Context, e *loop.Event) {
			fmt.Println("mail to", e.Args[0])
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A callback says no, and nothing happens.
	err = request.Fire(ctx, action.EventCanceled)
	fmt.Println(err)
	fmt.Println(errors.Is(err, looplab.ErrCanceled), request.State())

	// Arguments reach the callbacks.
	err = request.Fire(ctx, action.EventDone, "kelly@example.com")
	fmt.Println(err, request.State())

	// What the machine refuses, it refuses as ever.
	err = request.Fire(ctx, action.EventPaused)
	fmt.Println(err)
	fmt.Println(errors.Is(err, fsm.ErrNotAllowed))
	// Output:
	// looplab: signature_request: event canceled (ongoing -> canceled): canceled by a callback: only an admin may
	// true ongoing
	// mail to kelly@example.com
	// <nil> done
	// fsm: signature_request: event paused is not allowed in state done (allowed: deleted, permanently_deleted)
	// true
}

// Looplab ignores callbacks that it has no use for. New does not.
func ExampleNew_callbackThatWouldNeverBeCalled() {
	mail := func(context.Context, *loop.Event) { fmt.Println("mail") }
	_, err := looplab.New(action.TypeSignatureRequest.Machine(), action.Ongoing, loop.Callbacks{
		"enter_dnoe":    mail, // a slip
		"before_paused": mail, // right
		"leave_expire":  mail, // another slip
		"rejected":      mail, // a state, and an event
	})
	fmt.Println(err)
	// Output:
	// looplab: signature_request: callback "enter_dnoe" would never be called; did you mean enter_done?
	// looplab: signature_request: callback "leave_expire" would never be called; did you mean leave_expired?
	// looplab: signature_request: callback "rejected" names a state and an event; write "enter_rejected" or "after_rejected"
}

// A diagram shows where a machine begins and where it ends.
func ExampleMermaid() {
	fmt.Print(looplab.Mermaid(action.TypeWatchlistVerification.Machine()))
	// Output:
	// stateDiagram-v2
	//     [*] --> pending
	//     pending --> verified : verified
	//     pending --> failed : failed
	//     pending --> inconclusive : inconclusive
	//     inconclusive --> [*]
	//     failed --> [*]
	//     verified --> [*]
}

func ExampleDot() {
	fmt.Print(looplab.Dot(action.TypeWatchlistVerification.Machine()))
	// Output:
	// digraph "verification_without_data" {
	//     rankdir=LR;
	//     "[*]" [shape=point];
	//     "pending";
	//     "inconclusive" [shape=doublecircle];
	//     "failed" [shape=doublecircle];
	//     "verified" [shape=doublecircle];
	//     "[*]" -> "pending";
	//     "pending" -> "verified" [label="verified"];
	//     "pending" -> "failed" [label="failed"];
	//     "pending" -> "inconclusive" [label="inconclusive"];
	// }
}

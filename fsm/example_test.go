package fsm_test

import (
	"errors"
	"fmt"

	"github.com/sluicego/sluice/fsm"
)

// State is where a parcel is.
type State uint8

// The states of a parcel, lowest rank first. Zero is none.
const (
	Packed State = iota + 1
	Moving
	Waiting
	Delivered
	Lost
)

func (s State) String() string {
	return [...]string{"none", "packed", "moving", "waiting", "delivered", "lost"}[s]
}

// Event is what happens to a parcel.
type Event uint8

// The events of a parcel. Zero is none.
const (
	PickedUp Event = iota + 1
	Held
	Released
	HandedOver
	Vanished
)

func (e Event) String() string {
	return [...]string{"none", "picked_up", "held", "released", "handed_over", "vanished"}[e]
}

// parcel is compiled once and shared by everybody.
var parcel = fsm.MustCompile(fsm.Table[State, Event]{
	Name:    "parcel",
	States:  []State{Packed, Moving, Waiting, Delivered, Lost},
	Initial: []State{Packed},
	Rows: []fsm.Row[State, Event]{
		{Event: PickedUp, From: []State{Packed}, To: Moving},
		{Event: Held, From: []State{Moving}, To: Waiting},
		{Event: Released, From: []State{Waiting}, To: Moving},
		{Event: HandedOver, From: []State{Moving, Waiting}, To: Delivered},
		{Event: Vanished, From: []State{Moving, Waiting}, To: Lost},
	},
})

// A machine holds no entity: the caller passes the present state in, and gets
// the next one back.
func Example() {
	state := Packed
	for _, event := range []Event{PickedUp, Held, HandedOver} {
		next, err := parcel.Next(state, event)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s -> %s\n", event, state, next)
		state = next
	}
	// Output:
	// picked_up: packed -> moving
	// held: moving -> waiting
	// handed_over: waiting -> delivered
}

// An event that the state does not allow changes nothing, and the error says
// what would be allowed.
func ExampleMachine_Next_refused() {
	state, err := parcel.Next(Waiting, Held)
	fmt.Println(state)
	fmt.Println(err)

	var refusal *fsm.EventError[State, Event]
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Event, "in", refusal.State, "of", refusal.Machine(), "- try", refusal.Allowed())
	}
	fmt.Println(errors.Is(err, fsm.ErrNotAllowed))
	// Output:
	// waiting
	// fsm: parcel: event held is not allowed in state waiting (allowed: released, handed_over, vanished)
	// held in waiting of parcel - try [released handed_over vanished]
	// true
}

// Some events may never have been heard of. Whether one state can follow
// another at all, and how, is a question to the machine too.
func ExampleMachine_Reaches() {
	fmt.Println(parcel.Reaches(Packed, Lost), parcel.Reaches(Delivered, Moving))
	fmt.Println(parcel.Path(Packed, Lost))
	fmt.Println(parcel.Path(Delivered, Moving))
	// Output:
	// true false
	// [picked_up vanished] true
	// [] false
}

// A table that is not sound is refused, with every fault in it.
func ExampleCompile() {
	_, err := fsm.Compile(fsm.Table[State, Event]{
		Name:    "parcel",
		States:  []State{Packed, Moving, Delivered},
		Initial: []State{Packed},
		Rows: []fsm.Row[State, Event]{
			{Event: PickedUp, From: []State{Packed}, To: Moving},
			{Event: HandedOver, From: []State{Moving, Waiting}, To: Delivered},
			{Event: PickedUp, From: []State{Packed}, To: Delivered},
		},
	})
	fmt.Println(err)
	// Output:
	// fsm: machine "parcel": row 2 (handed_over): state waiting is not declared; declared are packed, moving, delivered
	// fsm: machine "parcel": row 3 (picked_up): state packed has this event already, in row 1
}

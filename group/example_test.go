package group_test

import (
	"fmt"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// One success makes a group done, one entry under way makes it ongoing, one
// that blocks blocks it; resolving that one, or deleting it, is a way out.
func ExampleStatusOf() {
	draft := group.EntryOf(action.Draft, false)
	verified := group.EntryOf(action.Verified, false)
	pending := group.EntryOf(action.Pending, false)
	failed := group.EntryOf(action.Failed, false)
	resolved := group.EntryOf(action.Failed, true)
	deleted := group.EntryOf(action.Deleted, false)

	show := func(entries ...group.Entry) { fmt.Println(group.StatusOf(entries)) }
	show()
	show(draft)
	show(draft, verified)
	show(verified, pending)
	show(verified, failed)
	show(verified, resolved)
	show(verified, deleted)
	// Output:
	// awaiting
	// awaiting
	// done
	// ongoing
	// blocked
	// done
	// done
}

// A group may be computed in parts, in any order: the parts are joined.
func ExampleStatus_Join() {
	verified, pending := group.EntryOf(action.Verified, false), group.EntryOf(action.Pending, false)
	monday := group.StatusOf([]group.Entry{verified, verified})
	tuesday := group.StatusOf([]group.Entry{pending})
	fmt.Println(monday, "and", tuesday, "is", monday.Join(tuesday))
	fmt.Println(tuesday.Join(monday).Join(monday))
	// Output:
	// done and ongoing is ongoing
	// ongoing
}

// An entry is what one Action says of its group.
func ExampleEntryOf() {
	fmt.Println(group.EntryOf(action.Failed, false).Says())
	fmt.Println(group.EntryOf(action.Failed, true).Says())
	// Output:
	// blocked
	// done
}

// A tally keeps a group's status up to date while its entries change one by
// one.
func ExampleTally() {
	verified, failed := group.EntryOf(action.Verified, false), group.EntryOf(action.Failed, false)
	var tally group.Tally
	tally.Add(verified)
	tally.Add(failed)
	fmt.Println(tally.Status())

	resolved := group.EntryOf(action.Failed, true)
	tally.Remove(failed)
	tally.Add(resolved)
	fmt.Println(tally.Status())
	// Output:
	// blocked
	// done
}

// RES-1: a resource enters the group whose type admits it.
func ExampleTypeOf() {
	fmt.Println(group.TypeOf(action.TypeBankAccountLookupVerification))
	fmt.Println(group.IdentityVerification.Admits())
	// Output:
	// bank_account_verification
	// [identity_document_verification identity_video_verification]
}

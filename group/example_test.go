package group_test

import (
	"fmt"

	"github.com/sluicego/sluice/action"
	"github.com/sluicego/sluice/group"
)

// One success makes a group done, one entry under way makes it ongoing, one
// that blocks blocks it; resolving that one, or deleting it, is a way out.
func ExampleStatusOf() {
	show := func(entries ...group.Entry) { fmt.Println(group.StatusOf(entries)) }
	show()
	show(group.Entry{Status: action.Draft})
	show(group.Entry{Status: action.Draft}, group.Entry{Status: action.Done})
	show(group.Entry{Status: action.Verified}, group.Entry{Status: action.Pending})
	show(group.Entry{Status: action.Verified}, group.Entry{Status: action.Failed})
	show(group.Entry{Status: action.Verified}, group.Entry{Status: action.Failed, Resolved: true})
	show(group.Entry{Status: action.Deleted}, group.Entry{Status: action.Ongoing})
	// Output:
	// awaiting
	// awaiting
	// done
	// ongoing
	// blocked
	// done
	// ongoing
}

// A group may be computed in parts, in any order: the parts are joined.
func ExampleStatus_Join() {
	monday := group.StatusOf([]group.Entry{{Status: action.Verified}, {Status: action.Verified}})
	tuesday := group.StatusOf([]group.Entry{{Status: action.Pending}})
	fmt.Println(monday, "and", tuesday, "is", monday.Join(tuesday))
	fmt.Println(tuesday.Join(monday).Join(monday))
	// Output:
	// done and ongoing is ongoing
	// ongoing
}

// A tally keeps a group's status up to date while its entries change one by
// one.
func ExampleTally() {
	var tally group.Tally
	tally.Add(group.Entry{Status: action.Verified})
	tally.Add(group.Entry{Status: action.Failed})
	fmt.Println(tally.Status())

	tally.Remove(group.Entry{Status: action.Failed})
	tally.Add(group.Entry{Status: action.Failed, Resolved: true})
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

package fsm

import "reflect"

// Same reports whether two machines have the same in every field. It compares the
// table of 65,536 states at once, which reflection would visit one by one.
func Same[S, E Enum](a, b *Machine[S, E]) bool {
	if a.next != b.next {
		return false
	}
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if x.Type().Field(i).Name != "next" && !same(x.Field(i), y.Field(i)) {
			return false
		}
	}
	return true
}

// same is reflect.DeepEqual of fields that are not exported.
func same(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.Struct:
		for i := range x.NumField() {
			if !same(x.Field(i), y.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !same(x.Index(i), y.Index(i)) {
				return false
			}
		}
		return true
	default:
		return x.Equal(y)
	}
}

// SpoilCell, SpoilReach and SpoilName change one thing of a machine each.
func SpoilCell[S, E Enum](m *Machine[S, E])  { m.next[65_535]++ }
func SpoilReach[S, E Enum](m *Machine[S, E]) { m.reach[255].add(255) }
func SpoilName[S, E Enum](m *Machine[S, E])  { m.table.Name += "!" }

//go:build !race

package session

// The largest bound that takes less than a minute on two cores.
const exhaustiveDefault = 5

//go:build race

package session

// Under the race detector everything takes several times as long.
const exhaustiveDefault = 3

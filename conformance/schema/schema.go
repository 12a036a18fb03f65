// Package schema holds nothing but the test that checks the vector files against
// vectors/schema.json. It is a module of its own, so that the validator is no
// dependency of the library.
package schema

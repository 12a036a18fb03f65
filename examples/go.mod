// Host applications that use sluice. They are a module of their own, so that
// what they need is required of nobody else.
module github.com/sluicego/sluice/examples

go 1.26.0

require (
	github.com/sluicego/sluice v0.0.0
	github.com/stretchr/testify v1.12.1
	go.etcd.io/bbolt v1.5.0
	pgregory.net/rapid v1.3.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.23.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
)

replace github.com/sluicego/sluice => ../

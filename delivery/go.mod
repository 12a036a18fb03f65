// Webhooks that are delivered. It is a module of its own, so that what it needs
// is required of nobody else.
module github.com/sluicego/sluice/delivery

go 1.26.0

require (
	code.dny.dev/ssrf v0.3.0
	github.com/sluicego/sluice v0.0.0
	github.com/stretchr/testify v1.12.1
	pgregory.net/rapid v1.3.0
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect

replace github.com/sluicego/sluice => ../

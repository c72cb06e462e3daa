module rules_go_multiarch/tools/prose

go 1.26

require (
	github.com/golangci/misspell v0.8.0
	github.com/yuin/goldmark v1.8.7
)

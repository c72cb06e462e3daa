module rules_go_multiarch

go 1.24.0

require golang.org/x/arch v0.23.0

require (
	github.com/klauspost/cpuid/v2 v2.3.0
	golang.org/x/sys v0.38.0
)

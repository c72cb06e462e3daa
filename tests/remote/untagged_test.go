//go:build !servers

package remote_test

import (
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestServers stands for the tests of this folder where they are not asked for.
func TestServers(t *testing.T) {
	bazeltest.Unavailable(t, "tests with servers are built with -tags servers")
}

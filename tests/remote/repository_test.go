//go:build servers && full

package remote_test

import (
	"testing"

	"rules_go_multiarch/internal/bazeltest"
)

// TestRepositoryOnEngine builds and tests this repository on the engine.
func TestRepositoryOnEngine(t *testing.T) {
	checkouts(t)
	restoreSecond(t)
	wantSameOnEngine(t, bazeltest.Checkout(t), both.second)
}

package environments_test

import (
	"testing"

	"rules_go_multiarch/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

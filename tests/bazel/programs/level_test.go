package main

import "testing"

func TestLevel(t *testing.T) {
	if level == "" {
		t.Error("compiled for no level")
	}
}

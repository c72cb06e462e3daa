package gobuild

import (
	"testing"

	"rules_go_multiarch/internal/goamd64"
)

// TestWithoutPlace takes away what linkAt adds, whatever the user's own flags are.
func TestWithoutPlace(t *testing.T) {
	for _, user := range []string{"", "-s -w", "-X main.version=1.2 -s", "'-X=main.name=two words'", "all=-s", "-extldflags=-static", "-s '-extldflags=-static -Wl,-z,now'"} {
		var values []string
		if user != "" {
			values = []string{user}
		}
		for _, system := range []string{"gcc", "clang -fuse-ld=lld"} {
			linked, err := linkAt(goamd64.Level(3), "exe", values, system)
			if err != nil {
				t.Fatal(err)
			}
			last := linked[len(linked)-1]
			if last == user {
				t.Fatalf("%q: linkAt adds nothing", user)
			}
			if got, want := WithoutPlace("-ldflags", last), WithoutPlace("-ldflags", user); got != want {
				t.Errorf("%q is %q, without the place %q: want %q", user, last, got, want)
			}
		}
	}
	for value, want := range map[string]string{
		"-T 0x2a009000 -s -tmpdir=/tmp/v3":              "-s",
		"-s -extldflags '-static -Wl,-Map=/tmp/v3.map'": "-s -extldflags=-static",
		"-s -extldflags=-Wl,-Ttext-segment,0x2a000000":  "-s",
		"-X main.a=-T":  "-X main.a=-T",
		"'unterminated": "'unterminated",
		"-X main.level=v3 -extldflags=-Wl,-z,now,-Map=file": "-X main.level=v3 -extldflags=-Wl,-z,now",
		"-extldflags=-Wl,-Ttext-segment=0x2a000000,-z,now":  "-extldflags=-Wl,-z,now",
		"-extldflags=-Wl,-z,now,--image-base,0x2a000000,-s": "-extldflags=-Wl,-z,now,-s",
		"-extldflags=-Wl,-z,Map=file,-Map":                  "-extldflags=-Wl,-z,Map=file,-Map",
	} {
		if got := WithoutPlace("-ldflags", value); got != want {
			t.Errorf("%q: %q: want %q", value, got, want)
		}
	}
	if got := WithoutPlace("-gcflags", "all=-N -cpuprofile=/tmp/cpu.v3 -T=1"); got != "all=-N -T=1" {
		t.Errorf("-gcflags: %q", got)
	}
}

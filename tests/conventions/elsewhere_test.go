package conventions_test

import "testing"

// TestOtherPlatforms builds everything for other systems: what can be packed is
// the plain program there, and what cannot be built is said to be incompatible.
func TestOtherPlatforms(t *testing.T) {
	for name, w := range modules(t) {
		for _, platform := range []string{"linux_arm64", "darwin_arm64"} {
			t.Run(name+"/"+platform, func(t *testing.T) {
				w.Bazel(t, "build", "--platforms=@rules_go//go/toolchain:"+platform, "//...")
			})
		}
	}
}

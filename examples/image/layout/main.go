// Layout writes an OCI image layout whose only layer is one executable:
//
//	layout OUT EXECUTABLE ARCHITECTURE
//
// The image has the same bytes whenever and wherever it is written.
package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: layout OUT EXECUTABLE ARCHITECTURE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "layout:", err)
		os.Exit(1)
	}
}

func write(out, executable, architecture string) error {
	archive, err := archive(executable)
	if err != nil {
		return err
	}
	layer := static.NewLayer(archive, types.OCIUncompressedLayer)
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layer)
	if err != nil {
		return fmt.Errorf("appending the layer: %w", err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Config.Entrypoint = []string{"/app"}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	path, err := layout.Write(out, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendImage(image,
		layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "latest"}),
		layout.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
}

// archive returns a tar archive with the executable as /app.
func archive(executable string) ([]byte, error) {
	data, err := os.ReadFile(executable)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(data)), Format: tar.FormatUSTAR}); err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	return out.Bytes(), w.Close()
}

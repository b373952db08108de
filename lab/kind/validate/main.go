// Command validate reads a kind configuration with kind's own code and validates it, as
// `kind create cluster` does before it talks to a container engine.
//
//	go run . KIND.yaml [CONTAINERD.toml]
//
// With a node image's containerd configuration it also prints that file as kind would patch it.
//
// kind keeps this code internal. Go lets a package import internal ones by its path alone, so
// this module has a path below kind's.
package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/kind/pkg/internal/apis/config/encoding"
	"sigs.k8s.io/kind/pkg/internal/patch"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 && len(args) != 2 {
		return fmt.Errorf("usage: validate KIND.yaml [CONTAINERD.toml]")
	}
	cluster, err := encoding.Load(args[0])
	if err != nil {
		return err
	}
	if err := cluster.Validate(); err != nil {
		return err
	}
	for _, node := range cluster.Nodes {
		fmt.Fprintln(os.Stderr, "node:", node.Role, node.Image, node.Labels)
	}
	if len(args) == 1 {
		return nil
	}
	original, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	patched, err := patch.ContainerdTOML(
		string(original),
		cluster.ContainerdConfigPatches,
		cluster.ContainerdConfigPatchesJSON6902,
	)
	if err != nil {
		return err
	}
	_, err = fmt.Print(patched)
	return err
}

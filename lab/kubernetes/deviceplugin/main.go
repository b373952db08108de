// A device plugin that offers devices which do not exist, to a kubelet that is real.
//
// It registers each resource of its settings as any vendor's plugin does, reports some devices as
// unhealthy, and answers Allocate in the way its DEVICE_LIST_STRATEGY says: with a variable
// (envvar), a mount for each device (volume-mounts), or CDI names (cdi-annotations, cdi-cri).
// Unknown arguments are passed over, so that it can stand in for a vendor's plugin in a manifest
// as people have it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/klog/v2"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

// Resource is what the plugin offers under one name, and how it answers.
type Resource struct {
	Name      string            `json:"name"`
	Devices   int               `json:"devices"`
	Unhealthy int               `json:"unhealthy"`
	Mounts    map[string]string `json:"mounts"` // host path by container path
	Nodes     map[string]string `json:"nodes"`  // host device by container path
	CDI       string            `json:"cdi"`    // vendor and class, such as k8s.device-plugin.nvidia.com/gpu
	Refuse    string            `json:"refuse"` // what Allocate fails with
	Prefer    string            `json:"prefer"` // what GetPreferredAllocation fails with
}

// Settings are read from a file, which may be changed later: it is read again every second.
type Settings struct {
	Resources []Resource `json:"resources"`
}

const defaultSettings = "/etc/device-plugin.json"

func main() {
	path := defaultSettings
	for index, word := range os.Args[1:] {
		if word == "--settings" && index+2 < len(os.Args) {
			path = os.Args[index+2]
		}
	}
	settings, err := read(path)
	if err != nil {
		klog.Exitf("cannot read settings: %v", err)
	}
	klog.Info("Starting Plugins.")
	plugins := make([]*Plugin, 0, len(settings.Resources))
	for _, resource := range settings.Resources {
		plugin := NewPlugin(resource, strategies())
		if err := plugin.Start(); err != nil {
			klog.Exitf("Could not start device plugin for '%s': %v", resource.Name, err)
		}
		plugins = append(plugins, plugin)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGINT, syscall.SIGTERM)
	for ticks := time.NewTicker(time.Second); ; {
		select {
		case <-ticks.C:
			follow(path, plugins)
		case name := <-stopped:
			klog.Infof("Received signal %q, shutting down.", name)
			for _, plugin := range plugins {
				plugin.Stop()
			}
			return
		}
	}
}

// follow tells the plugins what the settings say now, and registers again with a kubelet that
// has started anew: it removes all sockets then.
func follow(path string, plugins []*Plugin) {
	settings, err := read(path)
	if err != nil {
		return // half-written; the next second will do
	}
	for _, plugin := range plugins {
		for _, resource := range settings.Resources {
			if resource.Name == plugin.Name() {
				plugin.Update(resource)
			}
		}
		if _, err := os.Stat(plugin.Socket()); err != nil {
			klog.Infof("inotify: %s created, restarting.", api.KubeletSocket)
			plugin.Stop()
			if err := plugin.Start(); err != nil {
				klog.Errorf("Could not register device plugin: %v", err)
			}
		}
	}
}

func read(path string) (Settings, error) {
	var settings Settings
	content, err := os.ReadFile(path)
	if err != nil {
		return settings, err
	}
	if err := json.Unmarshal(content, &settings); err != nil {
		return settings, fmt.Errorf("%s: %w", path, err)
	}
	return settings, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/klog/v2"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	visibleDevices = "NVIDIA_VISIBLE_DEVICES"
	// Where NVIDIA's runtime looks for devices with the strategy volume-mounts.
	deviceMounts = "/var/run/nvidia-container-devices"
	patience     = 10 * time.Second
)

// Plugin serves one resource.
type Plugin struct {
	api.UnimplementedDevicePluginServer

	mutex      sync.Mutex
	resource   Resource
	changed    chan struct{}
	strategies []string
	server     *grpc.Server
}

// NewPlugin makes a plugin that is not registered yet.
func NewPlugin(resource Resource, strategies []string) *Plugin {
	return &Plugin{resource: resource, strategies: strategies, changed: make(chan struct{})}
}

// strategies are those of NVIDIA's plugin, from its own variable.
func strategies() []string {
	if value := os.Getenv("DEVICE_LIST_STRATEGY"); value != "" {
		return strings.Split(value, ",")
	}
	return []string{"envvar"}
}

// Name is the resource's.
func (p *Plugin) Name() string { return p.resource.Name }

// Socket is where the plugin serves.
func (p *Plugin) Socket() string {
	file := strings.NewReplacer("/", "-", ".", "-").Replace(p.Name())
	return filepath.Join(api.DevicePluginPath, file+".sock")
}

// Start serves and registers with the kubelet.
func (p *Plugin) Start() error {
	if err := os.Remove(p.Socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", p.Socket())
	if err != nil {
		return err
	}
	p.server = grpc.NewServer()
	api.RegisterDevicePluginServer(p.server, p)
	klog.Infof("Starting GRPC server for '%s'", p.Name())
	go func(server *grpc.Server) {
		if err := server.Serve(listener); err != nil {
			klog.Errorf("GRPC server for '%s' ended: %v", p.Name(), err)
		}
	}(p.server)
	if err := p.register(); err != nil {
		return fmt.Errorf("could not register: %w", err)
	}
	klog.Infof("Registered device plugin for '%s' with Kubelet", p.Name())
	return nil
}

// Stop ends the service; the kubelet then counts the devices as gone.
func (p *Plugin) Stop() { p.server.Stop() }

// Update takes over what the settings say now.
func (p *Plugin) Update(resource Resource) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if resource.Devices != p.resource.Devices || resource.Unhealthy != p.resource.Unhealthy {
		for number := resource.Devices - resource.Unhealthy; number < resource.Devices; number++ {
			klog.Infof("'%s' device marked unhealthy: %s", p.Name(), id(number))
		}
		close(p.changed)
		p.changed = make(chan struct{})
	}
	p.resource = resource
}

func (p *Plugin) register() error {
	target := "unix://" + api.KubeletSocket
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err = api.NewRegistrationClient(connection).Register(ctx, &api.RegisterRequest{
		Version:      api.Version,
		Endpoint:     filepath.Base(p.Socket()),
		ResourceName: p.Name(),
		Options:      &api.DevicePluginOptions{GetPreferredAllocationAvailable: p.resource.Prefer != ""},
	}, grpc.WaitForReady(true))
	return err
}

// GetDevicePluginOptions is asked by the kubelet after the registration.
func (p *Plugin) GetDevicePluginOptions(
	context.Context, *api.Empty,
) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{GetPreferredAllocationAvailable: p.resource.Prefer != ""}, nil
}

// ListAndWatch sends the devices, and again whenever the settings change.
func (p *Plugin) ListAndWatch(
	_ *api.Empty, stream grpc.ServerStreamingServer[api.ListAndWatchResponse],
) error {
	for {
		p.mutex.Lock()
		devices, changed := p.devices(), p.changed
		p.mutex.Unlock()
		if err := stream.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (p *Plugin) devices() []*api.Device {
	devices := make([]*api.Device, 0, p.resource.Devices)
	for number := range p.resource.Devices {
		health := api.Healthy
		if number >= p.resource.Devices-p.resource.Unhealthy {
			health = api.Unhealthy
		}
		devices = append(devices, &api.Device{ID: id(number), Health: health})
	}
	return devices
}

// id looks like an NVIDIA UUID and is the same for ever.
func id(number int) string {
	return fmt.Sprintf("GPU-%08x-1a2b-4c3d-8e4f-%012x", 0x5ee0c0de+number, 0xfeed0000+number)
}

// GetPreferredAllocation is asked only where the settings have it fail.
func (p *Plugin) GetPreferredAllocation(
	context.Context, *api.PreferredAllocationRequest,
) (*api.PreferredAllocationResponse, error) {
	return nil, errors.New(p.resource.Prefer)
}

// Allocate answers for each container by the strategies.
func (p *Plugin) Allocate(
	_ context.Context, request *api.AllocateRequest,
) (*api.AllocateResponse, error) {
	if p.resource.Refuse != "" {
		return nil, errors.New(p.resource.Refuse)
	}
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		response.ContainerResponses = append(response.ContainerResponses, p.answer(container.DevicesIds))
	}
	return response, nil
}

func (p *Plugin) answer(ids []string) *api.ContainerAllocateResponse {
	answer := &api.ContainerAllocateResponse{Envs: map[string]string{}, Annotations: map[string]string{}}
	for inside, outside := range p.resource.Mounts {
		answer.Mounts = append(answer.Mounts,
			&api.Mount{ContainerPath: inside, HostPath: outside, ReadOnly: true})
	}
	for inside, outside := range p.resource.Nodes {
		answer.Devices = append(answer.Devices,
			&api.DeviceSpec{ContainerPath: inside, HostPath: outside, Permissions: "rw"})
	}
	for _, strategy := range p.strategies {
		p.hand(answer, strategy, ids)
	}
	return answer
}

func (p *Plugin) hand(answer *api.ContainerAllocateResponse, strategy string, ids []string) {
	names := make([]string, 0, len(ids))
	for _, one := range ids {
		names = append(names, p.resource.CDI+"="+one)
	}
	switch strategy {
	case "envvar":
		answer.Envs[visibleDevices] = strings.Join(ids, ",")
	case "volume-mounts":
		answer.Envs[visibleDevices] = deviceMounts
		for _, one := range ids {
			answer.Mounts = append(answer.Mounts, &api.Mount{
				ContainerPath: filepath.Join(deviceMounts, one), HostPath: "/dev/null", ReadOnly: true,
			})
		}
	case "cdi-annotations":
		answer.Annotations["cdi.k8s.io/nvidia-device-plugin_"+ids[0]] = strings.Join(names, ",")
	case "cdi-cri":
		for _, name := range names {
			answer.CdiDevices = append(answer.CdiDevices, &api.CDIDevice{Name: name})
		}
	}
}

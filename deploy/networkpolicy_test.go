package deploy_test

import (
	"slices"
	"testing"
)

func TestNetworkPolicyOpensNothingElse(t *testing.T) {
	t.Parallel()
	o := mustRender(t, nil)
	spec := o.networkPolicy.Spec
	if len(spec.PolicyTypes) != 2 || len(spec.Ingress) != 0 {
		t.Errorf("policy types %v, ingress %v", spec.PolicyTypes, spec.Ingress)
	}
	var ports []int32
	for _, rule := range spec.Egress {
		// An empty list of peers or ports means all of them.
		if len(rule.To) == 0 || len(rule.Ports) == 0 {
			t.Errorf("a rule without peers or ports: %v", rule)
		}
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.IntVal)
		}
	}
	if want := []int32{53, 53, 5432, 443, 443}; !slices.Equal(ports, want) {
		t.Errorf("ports = %v, want %v", ports, want)
	}
	for name, job := range o.jobs() {
		for key, value := range spec.PodSelector.MatchLabels {
			if job.Template.Labels[key] != value {
				t.Errorf("%s: the policy does not select its pods (%s)", name, key)
			}
		}
	}
}

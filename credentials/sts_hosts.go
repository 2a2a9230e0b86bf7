package credentials

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/alimedia/alimedia-go/internal/endpoint"
)

// stsHost is where STS answers for a region, publicly and inside a VPC.
type stsHost struct{ public, vpc string }

// centralSTS answers for all regions, publicly.
const centralSTS = "sts.aliyuncs.com"

// stsHosts are the documented hosts of STS.
var stsHosts = func() map[string]stsHost {
	hosts := map[string]stsHost{
		"cn-beijing-finance-1":  {public: centralSTS},
		"cn-beijing-gov-1":      {public: centralSTS},
		"cn-hangzhou-finance":   {public: centralSTS},
		"cn-north-2-gov-1":      {vpc: "sts-vpc.cn-north-2-gov-1.aliyuncs.com"},
		"cn-shenzhen-finance-1": {vpc: "sts-vpc.cn-shenzhen-finance-1.aliyuncs.com"},
	}
	for _, region := range []string{
		"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
		"ap-southeast-6", "ap-southeast-7", "cn-beijing", "cn-chengdu", "cn-fuzhou", "cn-guangzhou", "cn-hangzhou", "cn-heyuan",
		"cn-hongkong", "cn-huhehaote", "cn-nanjing", "cn-qingdao", "cn-shanghai", "cn-shenzhen", "cn-wuhan-lr", "cn-wulanchabu",
		"cn-zhangjiakou", "eu-central-1", "eu-west-1", "me-east-1", "us-east-1", "us-west-1",
	} {
		hosts[region] = stsHost{"sts." + region + ".aliyuncs.com", "sts-vpc." + region + ".aliyuncs.com"}
	}
	return hosts
}()

const (
	envSTSEndpoint = "ALIBABA_CLOUD_STS_ENDPOINT"
	envSTSRegion   = "ALIBABA_CLOUD_STS_REGION"
	envVPC         = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"
	envRegion      = "ALIBABA_CLOUD_REGION_ID"
)

// url returns the address of STS: the endpoint given or that of the region and
// network given; where code gives none of them, what the environment says; and
// without that the central one.
func (s *sts) url() (*url.URL, error) {
	text, name := strings.TrimSpace(s.endpoint), "the Endpoint"
	if text == "" && s.region == "" && s.network == "" {
		text, name = getenv(envSTSEndpoint), envSTSEndpoint
	}
	if text == "" {
		return s.regional()
	}
	u, err := endpoint.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &u, nil
}

func (s *sts) regional() (*url.URL, error) {
	if s.network != "" && s.network != networkVPC {
		return nil, fmt.Errorf("the Network %.64q is neither empty nor %q", s.network, networkVPC)
	}
	vpc := s.network == networkVPC || switchedOn(envVPC)
	text := cmp.Or(strings.TrimSpace(s.region), getenv(envSTSRegion))
	if vpc {
		text = cmp.Or(text, getenv(envRegion))
	}
	region, err := endpoint.Region(text)
	if err != nil {
		return nil, fmt.Errorf("the STS region, or %s: %w", envSTSRegion, err)
	}
	known := stsHosts[region]
	var host string
	switch {
	case region == "" && vpc:
		return nil, errors.New("the STS endpoint inside a VPC needs a Region: set it, or " + envSTSRegion +
			", or name the host in Endpoint or " + envSTSEndpoint + " (Network or " + envVPC + " asks for it)")
	case region == "":
		host = centralSTS
	case vpc:
		host = known.vpc
	default:
		host = known.public
	}
	if host == "" {
		return nil, fmt.Errorf("no host of STS is known for region %q (VPC: %t): set the Endpoint, or %s", region, vpc, envSTSEndpoint)
	}
	return &url.URL{Scheme: "https", Host: host, Path: "/"}, nil
}

package gocloud

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

const defaultRegion = "us-east-1"

func s3Forms() forms {
	return forms{
		"endpoint":                     {`https?://` + host + `/?`, "http://host:port or https://host"},
		"region":                       {`[a-z0-9-]+`, "a region such as eu-west-1"},
		"use_path_style":               trueOrFalse,
		"profile":                      {anything, "the name of a profile in the AWS configuration files"},
		"request_checksum_calculation": {`when_(supported|required)`, "when_supported or when_required"},
	}
}

func newS3(name string, parameters url.Values) (provider, error) {
	return provider{
		name:     fmt.Sprintf("the bucket %q", name),
		rights:   rights{write: "s3:PutObject", read: "s3:GetObject", remove: "s3:DeleteObject", list: "s3:ListBucket on the bucket"},
		identity: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
		connect: func(ctx context.Context) (*connection, error) {
			return connectS3(ctx, name, parameters)
		},
	}, nil
}

// connectS3 doesn't open by a URL, as gocloud's opener takes no default region
// and no Retryer.
func connectS3(ctx context.Context, name string, parameters url.Values) (*connection, error) {
	found, err := config.LoadDefaultConfig(ctx, config.WithRegion(parameters.Get("region")), config.WithDefaultRegion(defaultRegion),
		config.WithSharedConfigProfile(parameters.Get("profile")), config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(found, func(o *s3.Options) { chooseS3(o, parameters) })
	options := client.Options()
	if _, err := options.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	objects, err := s3blob.OpenBucket(ctx, client, name, &s3blob.Options{RequestChecksumCalculation: options.RequestChecksumCalculation})
	if err != nil {
		return nil, err
	}
	return &connection{objects, s3Base(name, options), func(ctx context.Context, name string, lifetime time.Duration) (string, error) {
		return objects.SignedURL(ctx, name, &blob.SignedURLOptions{Method: http.MethodGet, Expiry: lifetime})
	}}, nil
}

// chooseS3 completes what the environment says. Most servers other than AWS
// know buckets in the path alone, and fewer checksums than AWS does.
func chooseS3(o *s3.Options, parameters url.Values) {
	if endpoint := strings.TrimSuffix(parameters.Get("endpoint"), "/"); endpoint != "" {
		o.BaseEndpoint = &endpoint
	}
	elsewhere := o.BaseEndpoint != nil
	o.UsePathStyle = cmp.Or(parameters.Get("use_path_style"), fmt.Sprint(elsewhere)) == "true"
	switch checksums := parameters.Get("request_checksum_calculation"); {
	case checksums == "when_supported":
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported
	case checksums == "when_required", elsewhere:
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}
	// Servers that keep objects in directories remove one with its last object,
	// perhaps while another object is written to it.
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ExistingObjectIsDirectory", "OperationAborted")
}

// s3Base leaves out the default region as S3 does. A name with a dot is in the
// path because no certificate covers it as a host.
func s3Base(name string, o s3.Options) string {
	base := "https://s3." + o.Region + ".amazonaws.com/"
	switch {
	case o.BaseEndpoint != nil:
		base = strings.TrimSuffix(*o.BaseEndpoint, "/") + "/"
	case o.Region == defaultRegion:
		base = "https://s3.amazonaws.com/"
	case strings.HasPrefix(o.Region, "cn-"):
		base = "https://s3." + o.Region + ".amazonaws.com.cn/"
	}
	if o.UsePathStyle || strings.Contains(name, ".") {
		return base + name + "/"
	}
	return strings.Replace(base, "://", "://"+name+".", 1)
}

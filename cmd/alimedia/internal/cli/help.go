package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newHelpCommand is help by command or topic, and the manual pages.
func newHelpCommand(a *app, root *cobra.Command) *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use:   "help [COMMAND or TOPIC]",
		Short: "Help about a command or a topic",
		Long: "Shows the help of a command, or of a topic: " + strings.Join(topicNames(), ", ") + ".\n\n" +
			"With --man it writes the manual pages of all commands and topics into a folder, for example\n" +
			"alimedia help --man ~/.local/share/man/man1",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			at, _, err := root.Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range at.Commands() {
				if !c.Hidden {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if folder != "" {
				if len(args) > 0 {
					return usagef("help --man takes no command: it writes the pages of all")
				}
				return a.manual(root, folder)
			}
			at, rest, err := root.Find(args)
			if err == nil && at.Name() == "call" { // whose help has operations
				err, rest = at.Flags().Parse(rest), nil
			}
			if err != nil || len(rest) > 0 {
				return usagef("there is no command or topic %q; 'alimedia help' lists them", strings.Join(args, " "))
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
	cmd.Flags().StringVar(&folder, "man", "", "write manual pages into this folder")
	_ = cmd.MarkFlagDirname("man")
	return cmd
}

// manual writes a page for each command and topic.
func (a *app) manual(root *cobra.Command, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true
	day := builtAt()
	header := doc.GenManHeader{Title: "ALIMEDIA", Section: "1", Source: "alimedia " + version(), Manual: "alimedia", Date: &day}
	if err := doc.GenManTree(root, &header, folder); err != nil {
		return err
	}
	for _, t := range topics {
		page := fmt.Sprintf(".TH \"ALIMEDIA-%s\" \"1\" \"%s\" \"%s\" \"alimedia\"\n.SH NAME\nalimedia-%s \\- %s\n.SH DESCRIPTION\n.nf\n%s\n.fi\n",
			strings.ToUpper(t.name), day.Format("Jan 2006"), header.Source, roff.Replace(t.name), roff.Replace(t.short), roff.Replace(t.text))
		if err := os.WriteFile(filepath.Join(folder, "alimedia-"+t.name+".1"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	a.notef("manual pages written to %s: try man %s", folder, filepath.Join(folder, "alimedia-upload.1"))
	return nil
}

// roff keeps text from being taken for a request.
var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'")

// topic is help that belongs to no command.
type topic struct{ name, short, text string }

func topicNames() (names []string) {
	for _, t := range topics {
		names = append(names, t.name)
	}
	return names
}

// topicCommands are commands that do nothing but have help.
func topicCommands() (cmds []*cobra.Command) {
	for _, t := range topics {
		cmd := &cobra.Command{Use: t.name, Short: t.short, Long: t.text}
		cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), cmd.Long) })
		cmds = append(cmds, cmd)
	}
	return cmds
}

var topics = []topic{
	{"exit-codes", "What the exit codes mean", `Exit codes of all commands:

    0  success
    1  failure that none of the following describes, such as a failed transcoding
    2  the command line or the configuration is wrong; nothing was sent
    3  some of several files or assets failed, others did not; each was reported
    4  what was asked for does not exist
    5  no credentials, or the service denied the request
    6  the service throttles or is not available: try again later
    7  the time of --timeout is over
  130  interrupted by Ctrl-C (SIGINT)
  143  terminated (SIGTERM)

If all of several files fail, the code is that of the first. With --json the error is an
object on standard error: {"error":{"message":...,"code":...,"requestId":...,"exitCode":4}}.`},

	{"environment", "Environment variables", `Variables of the command itself:

  ALIMEDIA_DEMO             1: as --demo
  ALIMEDIA_STATE_DIR        folder of checkpoints and of the demo; the default is alimedia in
                            XDG_STATE_HOME or ~/.local/state
  ALIMEDIA_PLAY_KEY         key of URL signing, for play --sign
  ALIMEDIA_CALLBACK_KEY     AuthKey of callbacks, for callback verify and listen; several are
                            separated by commas
  NO_COLOR                  any value: no colors
  TERM                      dumb: no colors, and lines in place of progress bars
  COLUMNS                   width of tables that are not printed on a terminal

Variables that Alibaba Cloud's tools share:

  ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN
                            credentials; see 'alimedia help credentials' for the others
  ALIBABA_CLOUD_REGION_ID   region, as --region (also ALIBABACLOUD_REGION_ID, ALICLOUD_REGION_ID)
  ALIBABA_CLOUD_PROFILE     profile, as --profile
  ALIBABA_CLOUD_CONFIG_FILE configuration file of aliyun-cli; the default is ~/.aliyun/config.json
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY
                            proxies for requests to the services`},

	{"credentials", "Where credentials and the region come from", `Credentials come from the first of these that has any:

  1. --profile NAME: that profile of ~/.aliyun/config.json, or of ~/.alibabacloud/credentials
  2. ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET
  3. OIDC, if ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and
     ALIBABA_CLOUD_OIDC_TOKEN_FILE are set (RRSA on ACK)
  4. ALIBABA_CLOUD_PROFILE or the current profile of ~/.aliyun/config.json: AK, StsToken,
     RamRoleArn, EcsRamRole, OIDC, CredentialsURI, External, CloudSSO, OAuth and others
  5. the RAM role of the ECS instance
  6. ALIBABA_CLOUD_CREDENTIALS_URI

With --profile nothing else is tried. The region comes from --region, ALIBABA_CLOUD_REGION_ID, or
region_id of the profile. 'alimedia doctor' shows what applies.

Credentials are not accepted on the command line, where other users of the machine can see them.`},

	{"targets", "What an upload can become (--target)", `  vod                     a video or audio asset of ApsaraVideo VOD (CreateUploadVideo)
  vod-image               an image asset of ApsaraVideo VOD (CreateUploadImage)
  ice                     an asset of Intelligent Media Services in VOD storage (CreateUploadMedia)
  stream                  a further stream of the asset --media-id (CreateUploadStream)
  yike                    an asset of a Yike production (CreateYikeAssetUpload)
  oss://bucket/prefix     an object of your own bucket. The name of the file follows the prefix,
                          after the folders below the one that was given with -r; --object names
                          it otherwise. With --register it becomes an asset too:
    --register=ice        of Intelligent Media Services (RegisterMediaInfo)
    --register=vod        of ApsaraVideo VOD (RegisterMedia); the bucket must be added there
    --register=stream     a stream of the asset --media-id (RegisterMediaStream)

Flags that a target has no use for are refused. With --media-id, vod and ice replace the file of
that asset. A playlist (x.m3u8) is uploaded with its segments to vod, ice and oss://.`},

	{"resuming", "How interrupted uploads go on", `Each upload writes a checkpoint to uploads in the state folder (see help environment), or to
--checkpoint-dir. When the same command runs again, it

  - skips files that are uploaded already, and prints their assets again,
  - goes on with those that were interrupted, under the same MediaId, with the parts that are
    missing,
  - uploads the others.

A file is the same if its path, size and time of modification are, and if account, region, target
and storage are; title, tags and other metadata do not count. --verify-content compares the bytes
too. --key names the upload by a key of yours instead: then standard input can be resumed.

The first Ctrl-C starts no other upload and waits for the running ones. The second ends at once.
Both leave the checkpoints. A kill or a power failure leaves them too.

ApsaraVideo VOD keeps the parts of an interrupted upload for 7 days. Targets stream, yike and
vod-image issue no second credential: an interrupted upload ends with an error there, and
--recreate creates a new asset. --no-resume writes no checkpoint. To upload everything again as
new assets, use another --checkpoint-dir.`},
}

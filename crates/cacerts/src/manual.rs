//! Completions for shells and man pages, made from the command line itself.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli;
use crate::failure::Failure;
use crate::terminal;

/// Options of `completions`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts completions bash > /etc/bash_completion.d/cacerts\n  \
                  cacerts completions zsh > ~/.zfunc/_cacerts\n\nExit codes: 0 printed, 2 it could not \
                  be printed"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Options of `man`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  cacerts man | man -l -                     the program\n  \
                  cacerts man check | man -l -               one command\n  \
                  cacerts man crl root > cacerts-crl-root.1  one below another\n\nExit codes: 0 \
                  printed, 1 no such command, 2 it could not be printed")]
pub(crate) struct ManArgs {
    /// The command; none for the program itself
    #[arg(value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    path: Vec<String>,
}

impl CompletionsArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli::command(), "cacerts", &mut script);
        printed(&script)
    }
}

impl ManArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut command = cli::command();
        let mut name = command.get_name().to_owned();
        // Gives each command its full name and its global options.
        command.build();
        for word in &self.path {
            let Some(below) = command.find_subcommand(word) else {
                return Err(Failure::refused(unknown(&name, word, &command)));
            };
            command = below.clone();
            name = format!("{name}-{word}");
        }
        let mut page = Vec::new();
        let rendered =
            clap_mangen::Man::new(command.display_name(&name)).title(name).render(&mut page);
        rendered.map_err(Failure::io("cannot make the page"))?;
        printed(&page)
    }
}

fn unknown(name: &str, word: &str, command: &Command) -> String {
    let there: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
    match there[..] {
        [] => format!("`{name}` has no commands below it, and no `{word}`"),
        _ => format!("`{name}` has no command `{word}`; it has {}", there.join(", ")),
    }
}

fn printed(text: &[u8]) -> Result<(), Failure> {
    // Both makers write ASCII and what the help says.
    terminal::print(String::from_utf8_lossy(text).trim_end())
}

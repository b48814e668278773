//! A main function with arguments.

#[tokio::main]
async fn main(arguments: Vec<String>) {}
